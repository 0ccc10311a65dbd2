package import DurableFiles
package import LedgerFormat

/// Audits by a policy: walks without a lock from the sealed position on. What follows needs the lock and is `WriterSession`'s.
package struct Auditor: Sendable {
    package var policy: AuditPolicy
    /// The first entry is the beginning, whatever the sealed position says.
    package var ignoresPosition = false
    /// Where to go on, for who kept the answer of the audit before; else the file says it.
    package var progress: AuditProgress?
    package var report: (@Sendable (Int, Int) -> Void)?

    private let environment: Environment

    package init(_ policy: AuditPolicy, _ environment: Environment) {
        self.policy = policy
        self.environment = environment
    }

    package func walk(_ storage: any Storage) async throws(LedgerError) -> AuditFinding {
        let started = environment.uptime()
        let now = environment.now()
        var view = try LedgerView(storage)
        let goal = view.validHead?.seq ?? 1
        let found = FoundProgress(view, now: now, given: progress)
        var progress = found.progress
        // With a key that has turned up there is more to check from the first entry on.
        let hasMoreKeys = progress?.pass?.absences.keys.contains { view.keyring.keys[$0] != nil } ?? false
        if ignoresPosition || hasMoreKeys { progress?.pass = nil }
        var audit = Audit(environment)
        audit.budget = policy.budget
        audit.allowsExtraMembers = policy.allowsExtra
        audit.start = progress?.pass?.place
        audit.base = progress?.pass?.base
        audit.absences = progress?.pass?.absences ?? [:]
        audit.endsAtHead = policy.lock == .tail && view.validHead?.alert == false
        audit.progress = report
        let (report, verifier) = try await audit.walk(&view)
        var finding = AuditFinding(
            policy: policy, report: report, firstSeq: audit.start?.seq ?? view.firstSeq, progress: progress, isFull: false,
            microseconds: environment.uptime() - started, notices: found.notice.map { [$0] } ?? [], verifier: verifier)
        finding.ledgerFirstSeq = view.firstSeq
        finding.amendPartial(view)
        let mark = try finding.mark(in: view.storage)
        finding.conclude(mark: mark, goal: goal, now: now)
        return finding
    }
}

extension AuditFinding {
    /// What is known of HEAD and the key when the time runs out weighs more than that there is more to do.
    fileprivate mutating func amendPartial(_ view: LedgerView) {
        guard report.verdict == .partial else { return }
        if case .failure(let fault) = view.head {
            report.verdict = .tampered
            report.place = Place(segment: 0, offset: 0, seq: report.tip?.seq ?? 0)
            report.reason = fault.description
        } else if let absence = view.keyAbsence {
            report.verdict = .unverifiable
            report.reason = "\(absence); what needs no key was checked as far as the time allowed"
        }
    }

    /// The last verified frame from which a later walk can start: HEAD's, if it was passed, for what lies behind it may still be cut;
    /// else the last one that ends a decision.
    func mark(in storage: any Storage) throws(LedgerError) -> (place: Place, hash: Digest)? {
        guard let tip = report.tip, verifier.entryCount > 0 else { return nil }
        var end = verifier.openDecision ?? verifier.position
        if let head = report.head, (firstSeq...max(firstSeq, tip.seq)).contains(head.seq) {
            end = Place(segment: head.segment, offset: head.end, seq: head.seq + 1)
        }
        return try doing("cannot read the ledger") { () throws(StorageError) in
            try SegmentReader(storage).markOfFrame(endingAt: end)
        }
    }
}
