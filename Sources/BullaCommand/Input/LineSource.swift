import Ledger

/// Where the lines of an ingestion come from.
protocol LineSource {
    /// What the ranges are of, until the next call of `next`.
    var buffer: [UInt8] { get }
    /// Lines that were handed out.
    var lineCount: Int { get }
    /// Bytes that were read.
    var byteCount: Int { get }

    /// - Parameter waiting: whether to wait for the next line rather than say so.
    mutating func next(waiting: Bool) throws(LedgerError) -> NextLine

    /// Whether the next ingestion goes on behind the last line by itself.
    static var isResumed: Bool { get }

    /// What the bytes' entry is known by when it is met again; nil where there is nothing of the kind.
    func id(of range: Range<Int>) -> String?
}

/// What a source answers.
enum NextLine {
    /// A line without its line feed.
    case line(Range<Int>)
    case part(Range<Int>, LinePart)
    /// Nothing is there yet.
    case mustWait
    case end
}
