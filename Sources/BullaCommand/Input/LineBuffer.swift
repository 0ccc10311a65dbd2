import CanonicalJSON
import LedgerFormat

/// Bytes as they come, handed out line by line.
struct LineBuffer {
    /// What was not dropped yet; ranges of lines are of it, until the next bytes come.
    private(set) var bytes: [UInt8] = []
    /// How many bytes stood before them.
    private(set) var droppedByteCount = 0
    /// Lines that were handed out whole.
    private(set) var lineCount = 0
    /// Parts of the present line that were handed out.
    private var partCount: Int
    private var start = 0
    /// Up to here there is no line feed behind `start`.
    private var searched = 0
    private let cutsLongLines: Bool

    /// Lines up to this size are handed out whole.
    static let lineByteCountMax = Limits.payload

    /// - Parameter partCount: of a line that begins before these bytes.
    init(cutsLongLines: Bool, partCount: Int = 0) {
        self.cutsLongLines = cutsLongLines
        self.partCount = partCount
    }

    enum Next {
        /// Without its line feed.
        case line(Range<Int>)
        /// Of a line that is longer than any entry.
        case part(Range<Int>, LinePart)
        case tooLong
    }

    mutating func append(_ more: [UInt8]) {
        bytes.removeFirst(start)
        droppedByteCount += start
        searched -= start
        start = 0
        bytes += more
    }

    /// Nil when more bytes are needed.
    ///
    /// - Parameter isAtEnd: whether none will come, so that what is there is the last line.
    mutating func next(isAtEnd: Bool) -> Next? {
        let lineFeed = bytes.span.firstLineFeed(from: searched)
        searched = lineFeed ?? bytes.count
        if partCount > 0 || searched - start > Self.lineByteCountMax {
            return cutsLongLines ? nextPart(isComplete: lineFeed != nil || isAtEnd) : .tooLong
        }
        guard lineFeed != nil || isAtEnd && start < bytes.count else { return nil }
        return .line(finishLine())
    }

    /// Cuts off a part if bytes are left behind it, so that the last one is never empty.
    private mutating func nextPart(isComplete: Bool) -> Next? {
        if searched - start > LinePart.byteCountMax {
            let end = LinePart.end(in: bytes, from: start)
            defer { start = end }
            partCount += 1
            return .part(start..<end, LinePart(number: partCount, isLast: false))
        }
        guard isComplete else { return nil }
        let number = partCount + 1
        partCount = 0
        let range = finishLine()
        return range.isEmpty ? nil : .part(range, LinePart(number: number, isLast: true))
    }

    private mutating func finishLine() -> Range<Int> {
        defer {
            start = min(searched + 1, bytes.count)
            searched = start
        }
        lineCount += 1
        return start..<searched
    }
}

/// One of the parts of a line that no entry holds as a whole.
struct LinePart {
    /// From 1.
    var number: Int
    var isLast: Bool

    /// A part at most: with every byte escaped, and all of it in base64 besides, it still fits into an entry.
    static let byteCountMax = 128 << 10

    /// Where the part that starts at `start` ends, if more bytes follow: between two characters, if there are such.
    static func end(in bytes: [UInt8], from start: Int) -> Int {
        let end = start + byteCountMax
        return (0..<4).map { end - $0 }.first { bytes[$0] & 0xC0 != 0x80 } ?? end
    }
}
