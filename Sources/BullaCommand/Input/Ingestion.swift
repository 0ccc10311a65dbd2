import CanonicalJSON
import Ledger
import LedgerFormat

/// The work of `ingest`: lines to durable batches, the next one read while the disk is busy with the one before.
struct Ingestion {
    private var recorder: Recorder
    private var lines: LineReader
    private var parser: LineParser
    private(set) var recordedCount = 0
    private(set) var repeatedCount = 0
    /// Lines whose entries are durable, and blank ones between them.
    private(set) var settledLineCount = 0
    private(set) var last: Receipt?
    /// The numbers of the lines that were submitted and are not answered yet.
    private var underWay: ArraySlice<Int> = []

    private static let batchCount = 1000
    private static let batchByteCount = 4 << 20

    init(recorder: Recorder, lines: LineReader, parser: LineParser) {
        self.recorder = recorder
        self.lines = lines
        self.parser = parser
    }

    mutating func takeNotices() -> [String] { recorder.takeNotices() }

    mutating func run(progress: (Int) -> Void) throws(LedgerError) {
        defer { recorder.release() }
        while try recordBatch() { progress(lines.byteCount) }
        try settle()
        settledLineCount = lines.lineCount
    }

    /// Reads what is there, up to a batch, and submits it; false at the end. Waits for input only without the lock.
    private mutating func recordBatch() throws(LedgerError) -> Bool {
        var drafts: [[Draft]] = []
        var lineNumbers: [Int] = []
        var byteCount = 0
        var failure: LedgerError?
        var isOver = false
        var mustWait = false
        collecting: while drafts.count < Self.batchCount, byteCount < Self.batchByteCount {
            do throws(LedgerError) {
                switch try lines.next(waiting: drafts.isEmpty && !recorder.isHolding) {
                case .end:
                    isOver = true
                    break collecting
                case .mustWait:
                    mustWait = drafts.isEmpty
                    break collecting
                case .line(let line):
                    byteCount += line.count
                    if let draft = try parse(line) {
                        drafts.append([draft])
                        lineNumbers.append(lines.lineCount)
                    } else if drafts.isEmpty, underWay.isEmpty {
                        settledLineCount = lines.lineCount
                    }
                }
            } catch {
                failure = error
                break collecting
            }
        }
        if mustWait {
            try settle()
            recorder.release()
            return true
        }
        try submit(drafts, lineNumbers)
        if let failure {
            try settle()
            throw stopping(failure)
        }
        return !isOver
    }

    private mutating func parse(_ line: Range<Int>) throws(LedgerError) -> Draft? {
        do throws(DraftError) {
            let buffer = lines.buffer
            return try parser.parse(buffer.span.extracting(line))
        } catch {
            let bytes = Array(lines.buffer[line])
            let place = if case .json(let json) = error { ", column \(json.location(in: bytes).column)" } else { "" }
            let code: ErrorCode = if case .reservedAction = error { .refused } else { .usage }
            throw LedgerError(code, "line \(lines.lineCount)\(place) is refused: \(error)")
        }
    }

    private mutating func submit(_ drafts: [[Draft]], _ lineNumbers: [Int]) throws(LedgerError) {
        guard !drafts.isEmpty else { return }
        if !recorder.isHolding {
            do throws(LedgerError) {
                try recorder.acquire()
            } catch {
                throw settledLineCount == 0 ? error : stopping(error)
            }
        }
        underWay += lineNumbers
        try account(recorder.submit(drafts))
        if recorder.isWantedByOthers() {
            try settle()
            recorder.release()
        }
    }

    private mutating func settle() throws(LedgerError) { try account(recorder.settle()) }

    /// Counts what was answered; the first failure ends the work, when nothing is under way any more.
    private mutating func account(_ answers: [Result<WriterSession.Answer, LedgerError>]) throws(LedgerError) {
        for answer in answers {
            guard let line = underWay.popFirst() else { preconditionFailure("every answer has its line") }
            switch answer {
            case .success(let answer):
                if answer.isRepetition { repeatedCount += 1 } else { recordedCount += 1 }
                if let receipt = answer.receipts.last, receipt.seq > last?.seq ?? 0 { last = receipt }
                settledLineCount = line
            case .failure(let error):
                underWay = []
                throw stopping(LedgerError(error.code, "line \(line): \(error.message)", at: error.place))
            }
        }
    }

    private func stopping(_ error: LedgerError) -> LedgerError {
        let done =
            settledLineCount == 0 ? "nothing was recorded before it" : "everything up to line \(settledLineCount) is recorded"
        return LedgerError(error.code, "\(error.message); \(done): go on at line \(settledLineCount + 1)", at: error.place)
    }
}
