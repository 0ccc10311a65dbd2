import CanonicalJSON
import Ledger
import LedgerFormat

/// The work of `ingest`: lines to durable batches, the next one read while the disk is busy with the one before.
struct Ingestion<Lines: LineSource> {
    private var recorder: Recorder
    private var lines: Lines
    private var parser: LineParser
    private(set) var recordedCount = 0
    private(set) var repeatedCount = 0
    /// Lines whose entries are durable, and blank ones between them.
    private(set) var settledLineCount = 0
    private(set) var last: Receipt?
    /// Lines that are recorded and lost a place to a higher class.
    private(set) var lostCount = 0
    /// The first of them.
    private(set) var loss: LedgerError?
    /// Of what was submitted and is not answered yet.
    private var underWay: ArraySlice<Origin> = []

    /// Where a draft comes from.
    private struct Origin {
        var line: Int
        /// Whether the line is settled with it.
        var isLast: Bool
    }

    private static var batchCount: Int { 1000 }
    private static var batchByteCount: Int { 4 << 20 }

    init(recorder: Recorder, lines: Lines, parser: LineParser) {
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
        var origins: [Origin] = []
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
                    let parsed = try parse(line)
                    for (index, draft) in parsed.enumerated() {
                        drafts.append([draft])
                        origins.append(Origin(line: lines.lineCount, isLast: index == parsed.count - 1))
                    }
                    if parsed.isEmpty, drafts.isEmpty, underWay.isEmpty { settledLineCount = lines.lineCount }
                case .part(let range, let part):
                    byteCount += range.count
                    drafts.append([try parse(range, part)])
                    origins.append(Origin(line: lines.lineCount + (part.isLast ? 0 : 1), isLast: part.isLast))
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
        try submit(drafts, origins)
        if let failure {
            try settle()
            throw stopping(failure)
        }
        return !isOver
    }

    private mutating func parse(_ line: Range<Int>) throws(LedgerError) -> [Draft] {
        let lines = lines
        do throws(LineRefusal) {
            return try parser.parse(line, of: lines.buffer) { lines.id(of: $0) }
        } catch {
            throw refused(error, line: lines.lineCount)
        }
    }

    private func parse(_ range: Range<Int>, _ part: LinePart) throws(LedgerError) -> Draft {
        do throws(LineRefusal) {
            return try parser.parse(range, part, of: lines.buffer, id: lines.id(of: range))
        } catch {
            throw refused(error, line: lines.lineCount + (part.isLast ? 0 : 1))
        }
    }

    private func refused(_ refusal: LineRefusal, line: Int) -> LedgerError {
        let place = refusal.column.map { ", column \($0)" } ?? ""
        return LedgerError(refusal.isRule ? .refused : .usage, "line \(line)\(place) is refused: \(refusal.reason)")
    }

    private mutating func submit(_ drafts: [[Draft]], _ origins: [Origin]) throws(LedgerError) {
        guard !drafts.isEmpty else { return }
        if !recorder.isHolding {
            do throws(LedgerError) {
                try recorder.acquire()
            } catch {
                throw settledLineCount == 0 ? error : stopping(error)
            }
        }
        underWay += origins
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
            guard let origin = underWay.popFirst() else { preconditionFailure("every answer has its line") }
            switch answer {
            case .success(let answer):
                if answer.isRepetition { repeatedCount += 1 } else { recordedCount += 1 }
                if let receipt = answer.receipts.last, receipt.seq > last?.seq ?? 0 { last = receipt }
                if origin.isLast { settledLineCount = origin.line }
                noteLoss(answer, line: origin.line)
            case .failure(let error):
                underWay = []
                throw stopping(LedgerError(error.code, "line \(origin.line): \(error.message)", at: error.place))
            }
        }
    }

    private mutating func noteLoss(_ answer: WriterSession.Answer, line: Int) {
        guard !answer.lost.isEmpty, let receipt = answer.receipts.last else { return }
        lostCount += 1
        guard loss == nil else { return }
        let error = LedgerError(lost: answer.lost, in: receipt.seq)
        loss = LedgerError(.conflict, "line \(line): \(error.message)", collisions: error.collisions)
    }

    private func stopping(_ error: LedgerError) -> LedgerError {
        let done =
            settledLineCount == 0 ? "nothing was recorded before it" : "everything up to line \(settledLineCount) is recorded"
        let next = Lines.isResumed ? "started again, it goes on there" : "go on at line \(settledLineCount + 1)"
        return LedgerError(error.code, "\(error.message); \(done): \(next)", at: error.place)
    }
}
