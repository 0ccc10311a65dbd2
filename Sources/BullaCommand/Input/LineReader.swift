import CanonicalJSON
import Ledger

/// Splits a stream into lines, and says when the next one would have to be waited for.
struct LineReader {
    private let file: InputFile
    private let lineByteCountMax: Int
    private(set) var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    /// Lines that were handed out.
    private(set) var lineCount = 0
    /// Bytes that were read.
    private(set) var byteCount = 0

    private static let readByteCount = 1 << 18

    init(_ file: InputFile, lineByteCountMax: Int) {
        self.file = file
        self.lineByteCountMax = lineByteCountMax
    }

    enum Next {
        /// Where it stands in `buffer`, without its line feed, until the next call.
        case line(Range<Int>)
        /// Nothing is there yet.
        case mustWait
        case end
    }

    /// - Parameter waiting: whether to wait for the next line rather than say so.
    mutating func next(waiting: Bool) throws(LedgerError) -> Next {
        var searched = start
        while true {
            if let end = buffer.span.firstLineFeed(from: searched) {
                defer { start = end + 1 }
                lineCount += 1
                return .line(start..<end)
            }
            searched = buffer.count
            guard searched - start <= lineByteCountMax else {
                throw LedgerError(
                    .usage, "line \(lineCount + 1) of \(file.name) is longer than \(lineByteCountMax) bytes, which no entry holds"
                )
            }
            if isAtEnd {
                guard start < buffer.count else { return .end }
                defer { start = buffer.count }
                lineCount += 1
                return .line(start..<buffer.count)
            }
            if !waiting, !file.isReady { return .mustWait }
            buffer.removeFirst(start)
            searched -= start
            start = 0
            if let more = try file.read(upTo: Self.readByteCount) {
                buffer += more
                byteCount += more.count
            } else {
                isAtEnd = true
            }
        }
    }
}
