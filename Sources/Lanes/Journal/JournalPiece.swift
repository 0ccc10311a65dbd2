import LedgerFormat

/// What lines of a journal say to a fold, told from the lines alone: those of several pieces can be read at a time, and only
/// count in their order.
struct JournalPiece: Sendable {
    private(set) var changes: [JournalChange] = []
    /// What says of a line that it was bad, in the order of the journal.
    private(set) var corrupt: [JournalReader.Line] = []
    /// Of plain numbers, and of all others.
    private var greatestUsual: UInt64 = 0
    private var greatestUnusual = PythonInteger.zero
    private(set) var entryCount = 0
    private(set) var lineCount = 0
    /// Whether it is UTF-8; else nothing was read.
    let isText: Bool
    /// Why the rest was not read.
    private(set) var failure: JournalError?

    /// The greatest number that stands as `seq` or `seq_watermark`.
    var greatestSeq: PythonInteger { max(PythonInteger(greatestUsual), greatestUnusual) }

    /// - Parameter range: whole lines of `bytes`.
    init(_ range: Range<Int>, of bytes: Span<UInt8>) {
        isText = (try? UTF8Span(validating: bytes.extracting(range))) != nil
        guard isText else { return }
        var reader = JournalReader(range)
        do throws(JournalError) {
            while let line = try reader.next(in: bytes) {
                take(line, of: reader, bytes)
                entryCount += 1
            }
        } catch {
            failure = error
        }
        lineCount = reader.lineCount
    }

    private mutating func take(_ line: JournalReader.Line, of reader: borrowing JournalReader, _ bytes: Span<UInt8>) {
        guard case .entry(let range) = line else {
            corrupt.append(line)
            return
        }
        let fields = JournalFields(of: 0, reader.tape, bytes)
        count(fields.seq, reader.tape, bytes)
        count(fields.watermark, reader.tape, bytes)
        guard let operation = fields.operation else { return }
        if reader.tape.isText(reader.tape.tokens[operation], "_CORRUPT", in: bytes) { corrupt.append(line) }
        if let change = JournalChange(reader.tape.tokens[operation], fields, range, reader.tape, bytes) { changes.append(change) }
    }

    private mutating func count(_ token: Int?, _ tape: borrowing JSONTape, _ bytes: Span<UInt8>) {
        guard let token else { return }
        let range = tape.tokens[token].range
        if tape.tokens[token].kind == .integer, let (seq, end) = bytes.plainInteger(at: range.lowerBound), end == range.upperBound
        {
            greatestUsual = max(greatestUsual, seq)
        } else if let seq = PythonInteger(of: tape.value(at: token, of: bytes)) {
            greatestUnusual = max(greatestUnusual, seq)
        }
    }
}
