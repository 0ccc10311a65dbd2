package import CanonicalJSON
import DurableFiles
package import LedgerFormat

// What follows an audit's walk, under the writer's lock.
extension WriterSession {
    /// Looks again where the finding asks for it, records the result in an entry, and seals the position.
    ///
    /// Requires the lock, and so an opening that found HEAD and all behind it in order. A crash between the entry and the
    /// position leaves the older position: the next audit goes over the same entries again.
    ///
    /// - Throws: `tampered`, with the alert raised, if it is still so.
    @discardableResult
    package mutating func record(_ finding: inout AuditFinding) throws(LedgerError) -> Receipt {
        if finding.reaction == .lookAgain { try lookAgain(&finding) }
        let receipt = try commit([[Drafts.auditFinished(finding)]])[0].get().receipts[0]
        if let progress = finding.progress, !finding.policy.allowsExtra, let notice = keep(progress) {
            finding.notices.append(notice)
        }
        return receipt
    }

    /// Seals how far audits came; says why, if that did not work, which harms nothing.
    func keep(_ progress: AuditProgress) -> String? {
        guard let state else { preconditionFailure("only the holder of the writer's lock seals a position") }
        do throws(StorageError) {
            try progress.save(in: storage, state.key)
            return nil
        } catch {
            return "the position of the audit could not be kept, and the next one begins where this one did: \(error)"
        }
    }

    /// Verifies on to the end of the ledger. Under the lock nobody writes, and opening has mended what a crash left.
    private mutating func lookAgain(_ finding: inout AuditFinding) throws(LedgerError) {
        guard let state else { preconditionFailure("only the holder of the writer's lock looks again") }
        let started = environment.uptime()
        finding.verifier.compare(with: state.head)
        var failure = try failure(&finding.verifier, finding.policy, state)
        // A repair has put another ledger in the place of the one that was walked: this one is looked at from its first entry on.
        // So it is with one whose first segments were archived.
        let first = try doing("cannot read the ledger") { () throws(StorageError) in
            try SegmentReader.segments(in: storage).first ?? 1
        }
        if failure != nil, first > finding.ledgerFirstSeq || isRepaired(behind: finding.report.head?.seq ?? 0) {
            finding.verifier = ChainVerifier(keys: try LedgerView(storage).keyring.keys, head: state.head)
            finding.verifier.allowsExtraMembers = finding.policy.allowsExtra
            finding.verifier.passesLaterVersions = true
            finding.firstSeq = first
            failure = try self.failure(&finding.verifier, finding.policy, state)
        }
        if let failure = failure ?? finding.verifier.laterVersion { throw latch(raisingAlert(state.head, state.key, failure)) }
        let place = finding.verifier.position
        finding.report.verdict = .intact
        finding.report.reason = nil
        finding.report.isUnsettledBehind = false
        finding.report.place = Place(segment: place.segment, offset: place.offset, seq: place.seq - 1)
        finding.report.tip = finding.verifier.tip
        finding.report.entryCount = finding.verifier.entryCount
        finding.report.head = state.head
        finding.microseconds += environment.uptime() - started
        finding.conclude(mark: try finding.mark(in: storage), goal: state.head.seq, now: environment.now())
    }
}

extension WriterSession {
    private func failure(
        _ verifier: inout ChainVerifier, _ policy: AuditPolicy, _ state: State
    ) throws(LedgerError) -> ChainFailure? {
        try doing("cannot read the ledger") { () throws(StorageError) in
            var reader = try SegmentReader(storage)
            guard case .failed(let failure) = try reader.scan(&verifier) else { return nil }
            if !policy.strictStream, case .torn = try Judgement(failure, verifier, head: state.head, reader) { return nil }
            return failure
        }
    }
}

extension Drafts {
    static func auditFinished(_ finding: AuditFinding) -> Draft {
        draft("audit.finished", .integrity, "the ledger was audited", finding.summary)
    }
}

extension AuditFinding {
    /// What an entry says of an audit.
    package var summary: JSONObject {
        var object: JSONObject = [
            "policy": .string(policy.name), "verdict": .string(report.verdict.rawValue),
            "checked": .number(Double(report.entryCount)), "failed": .number(report.verdict == .tampered ? 1 : 0),
            "from": .number(Double(firstSeq)), "segment": .string(report.place.segmentName),
            "offset": .number(Double(report.place.offset)), "seq": .number(Double(report.place.seq)),
            "microseconds": .number(Double(microseconds)), "full": .bool(isFull),
        ]
        if policy.allowsExtra { object["allow_extra"] = true }
        if let tip = report.tip { object["hash"] = .string(tip.hash.description) }
        return object
    }
}
