import Ledger
import LedgerFormat

/// Splits a stream into lines, and says when the next one would have to be waited for.
struct LineReader: LineSource {
    private let file: InputFile
    private var lines: LineBuffer
    private var isAtEnd = false
    private(set) var byteCount = 0

    private static let readByteCount = 1 << 18

    /// - Parameter cutsLongLines: whether a line that no entry holds comes in parts rather than as an error.
    init(_ file: InputFile, cutsLongLines: Bool) {
        self.file = file
        lines = LineBuffer(cutsLongLines: cutsLongLines)
    }

    static var isResumed: Bool { false }
    var buffer: [UInt8] { lines.bytes }
    var lineCount: Int { lines.lineCount }

    func id(of range: Range<Int>) -> String? { nil }

    mutating func next(waiting: Bool) throws(LedgerError) -> NextLine {
        while true {
            switch lines.next(isAtEnd: isAtEnd) {
            case .line(let range): return .line(range)
            case .part(let range, let part): return .part(range, part)
            case .tooLong:
                throw LedgerError(
                    .usage,
                    "line \(lineCount + 1) of \(file.name) is longer than \(LineBuffer.lineByteCountMax) bytes, which no entry holds"
                )
            case nil: break
            }
            if isAtEnd { return .end }
            if !waiting, !file.isReady { return .mustWait }
            if let more = try file.read(upTo: Self.readByteCount) {
                lines.append(more)
                byteCount += more.count
            } else {
                isAtEnd = true
            }
        }
    }
}
