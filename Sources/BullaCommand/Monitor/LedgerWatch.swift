import DurableFiles
import Ledger
import LedgerFormat

/// Looks at a ledger again and again, only reading and without any lock.
///
/// Each look opens the ledger anew, so that one that is replaced, locked or damaged meanwhile is seen as it is now.
struct LedgerWatch {
    private let options: LedgerOptions
    private let environment = Environment.system
    /// What the rate is told from.
    private var tips: [(uptime: Int64, seq: UInt64)] = []
    private var last: MonitorState?

    private static let rateMicroseconds: Int64 = 10_000_000

    init(_ options: LedgerOptions) { self.options = options }

    /// - Parameter rowCount: how many of the newest entries are wanted.
    mutating func look(rowCount: Int) -> MonitorState {
        var state = MonitorState(path: options.path, now: environment.now())
        do throws(LedgerError) {
            try fill(&state, rowCount)
        } catch {
            state.trouble = error
        }
        // What was seen before is better than nothing, beside what is wrong now.
        if state.trouble != nil, state.rows.isEmpty, let last {
            state.rows = last.rows
            state.tip = last.tip
            state.isOld = true
        }
        state.rate = rate(state.tip?.seq)
        last = state
        return state
    }

    private func fill(_ state: inout MonitorState, _ rowCount: Int) throws(LedgerError) {
        let storage = try options.storage()
        state.isOpen = true
        let watch = try AnchorWatch(options.anchor, storage)
        state.holder = storage.holder(of: .writer)
        let view = try LedgerView(storage)
        state.segmentCount = view.segments.count
        state.byteCount = view.segments.reduce(0) { sum, segment in
            sum + ((try? storage.status(of: SegmentReader.path(ofSegment: segment)))??.size ?? 0)
        }
        state.ledger = view.genesis?.ledger
        state.key = view.validHead?.key ?? view.genesis?.key
        state.keyAbsence = view.keyAbsence
        let audits = FoundProgress(view, now: state.now)
        state.audit = audits.progress?.full.map { MonitorState.FullAudit(time: $0.time, seq: $0.seq) }
        state.isAuditKnown = audits.progress != nil && audits.notice == nil
        guard case .success(let head) = view.head else {
            guard case .failure(let fault) = view.head else { return }
            throw LedgerError(.tampered, "\(fault); `bulla verify` shows how far the ledger is whole")
        }
        (state.isAlert, state.isAlertKnown) = (head.alert, true)
        let wanted = UInt64(max(1, rowCount))
        var rows: [MonitorState.Row] = []
        var tip: Receipt?
        defer {
            state.rows = rows.suffix(rowCount)
            state.tip = tip
        }
        let reader = EntryReader(view, environment)
        try reader.checkHead()
        try reader.read(from: max(view.firstSeq, head.seq >= wanted ? head.seq - wanted + 1 : 1)) {
            frame, bytes in
            let entry = Entry(frame, of: bytes)
            tip = entry.receipt
            if rows.count >= 2 * rowCount { rows = rows.suffix(rowCount) }
            rows.append(
                MonitorState.Row(
                    seq: entry.seq, time: entry.time, actor: entry.actor, action: entry.action,
                    reason: entry.justification.reason, isSettled: view.isSettled(entry.seq)))
            return true
        }
        guard let lastSeq = tip?.seq, let verdict = try watch?.verdict(lastSeq: lastSeq, environment) else { return }
        if case .alarm = verdict, let message = verdict.message(ledger: options.path) { throw LedgerError(.tampered, message) }
    }

    /// Nil at the first look, and behind a ledger that was put back.
    private mutating func rate(_ seq: UInt64?) -> Double? {
        guard let seq else { return nil }
        let now = environment.uptime()
        if let last = tips.last, last.seq > seq { tips = [] }
        tips.append((now, seq))
        // One that is older stays, so that there is something to count from.
        while tips.count > 2, now - tips[1].uptime >= Self.rateMicroseconds { tips.removeFirst() }
        guard let first = tips.first, now > first.uptime, tips.count > 1 else { return nil }
        return Double(seq - first.seq) / (Double(now - first.uptime) / 1_000_000)
    }
}
