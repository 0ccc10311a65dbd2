import CanonicalJSON

/// Why a journal is not read.
package enum JournalError: Error, Equatable, Sendable {
    /// The line, from 1 on, has this many bytes; nothing that a lane journal holds is as long.
    case lineTooLong(line: Int, byteCount: Int)
}

/// The lines of a journal, one after the other, as the reference reads them.
struct JournalReader: ~Copyable {
    /// The entry that `next` answered.
    private(set) var tape = JSONTape(isShallow: true)
    private var position: Int
    private let end: Int
    private(set) var lineCount = 0

    /// A line at most.
    static let lineByteCountMax = 999_999

    /// - Parameter range: whole lines; the whole journal, or a piece of it that ends behind a line feed.
    init(_ range: Range<Int>) { (position, end) = (range.lowerBound, range.upperBound) }

    enum Line: Sendable {
        /// A JSON object.
        case entry(Range<Int>)
        /// What is no JSON, without white space at its ends; lines are counted from 0, at the range's first.
        case corrupt(Range<Int>, line: Int)
    }

    /// The next line that counts; nil at the end.
    ///
    /// - Parameter bytes: the journal, valid UTF-8, the same at each call; all ranges are of it.
    ///
    /// Blank lines do not count, nor JSON that is no object, nor a bad last line: a crash tore that.
    mutating func next(in bytes: Span<UInt8>) throws(JournalError) -> Line? {
        while position < end {
            let (whole, next) = bytes.line(from: position)
            let line = lineCount
            position = next
            lineCount += 1
            guard whole.count <= Self.lineByteCountMax else {
                throw JournalError.lineTooLong(line: lineCount, byteCount: whole.count)
            }
            let range = bytes.stripped(whole)
            if range.isEmpty { continue }
            do throws(JSONTape.Failure) {
                try tape.read(range, of: bytes)
            } catch {
                if next == bytes.count { return nil }
                return .corrupt(range, line: line)
            }
            if tape.tokens[0].kind == .object { return .entry(range) }
        }
        return nil
    }
}
