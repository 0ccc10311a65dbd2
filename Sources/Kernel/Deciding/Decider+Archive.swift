package import CanonicalJSON
package import DurableFiles
package import Ledger
package import LedgerFormat
import PlantedDefects

// Old entries leave the ledger, and what they led to stays.
extension Decider {
    /// What an archive took.
    package struct Archived: Sendable {
        package var statement: ArchiveStatement
        /// Of `ledger.archived`.
        package var receipt: Receipt
    }

    /// Copies segments to another place, verifies the copies, records that together with the state of the house's projections, and only
    /// then removes the segments.
    ///
    /// - Parameters:
    ///   - projections: those whose state is kept: without it they could not be folded any more.
    ///   - target: a base of the archive's own, with a directory `ledger/`.
    ///   - directory: what the entry says of where it is.
    ///   - members: what else the entry says of the archived entries, the last of which is given.
    package mutating func archive(
        _ limit: ArchivePlan.Limit, keeping projections: [any Projection.Type], to target: any Storage,
        named directory: PathText, reason: String,
        members: (LedgerView, UInt64) throws(LedgerError) -> JSONObject = { _, _ in [:] },
        progress: (@Sendable (Int, Int) -> Void)? = nil
    ) throws(LedgerError) -> Archived {
        var archiver = Archiver(environment)
        archiver.progress = progress
        let timeout = session.settings.lockTimeoutMicroseconds
        return try archiver.locking(target, timeoutMicroseconds: timeout) { [archiver] () throws(LedgerError) in
            try archive(limit, archiver, keeping: projections, to: target, named: directory, reason: reason, members)
        }
    }

    private mutating func archive(
        _ limit: ArchivePlan.Limit, _ archiver: Archiver, keeping projections: [any Projection.Type], to target: any Storage,
        named directory: PathText, reason: String, _ members: (LedgerView, UInt64) throws(LedgerError) -> JSONObject
    ) throws(LedgerError) -> Archived {
        // Somebody may have archived another ledger there until we had the place to ourselves.
        let there = try ArchiveContents(of: target)
        if let refusal = try there.refusal(of: LedgerView(session.storage).ledger, at: target.basePath),
            !planted(.strangerUnseen)
        {
            throw refusal
        }
        let plan = try ArchivePlan(LedgerView(session.storage), limit, environment)
        guard !plan.segments.isEmpty else { throw plan.refusal }
        try plan.checkRetention(in: LedgerView(session.storage), environment)
        try plan.checkPatches(in: LedgerView(session.storage), environment)
        if plan.endsActiveSegment {
            // Whatever is wrong with the target is met before the ledger is touched.
            if !planted(.targetUntried) { try archiver.copyAhead(plan, of: LedgerView(session.storage), to: target) }
            try session.acquire()
            try releasing { decider throws(LedgerError) in
                // What was recorded meanwhile may have to stay.
                let now = try ArchivePlan(LedgerView(decider.session.storage), .seq(plan.limit), decider.environment)
                if now.endsActiveSegment { try decider.session.endSegment() }
            }
        }
        let view = try LedgerView(session.storage)
        let segments = plan.finishedSegments(of: view)
        guard !segments.isEmpty else { throw plan.refusal }
        let copied = try archiver.copy(segments, of: view, to: target)
        let mark = Mark(seq: copied.tip.seq, hash: copied.tip.hash, latest: copied.latest)
        var states = KeptStates()
        for projection in projections { try states.keep(projection, at: mark, in: view, of: copied.tip.ledger, environment) }
        var more = try members(view, mark.seq)
        for member in states.members.members { more[member.key] = member.value }
        let acts = try PendingActs(in: view, environment)
        try session.acquire()
        let answer = try releasing { [more] decider throws(LedgerError) in
            let (storage, environment) = (decider.session.storage, decider.environment)
            return try decider.session.archive(copied, to: directory, reason: reason, more, states.drafts) {
                () throws(LedgerError) in
                // Somebody may have signed a patch meanwhile.
                var acts = acts
                try acts?.check(through: copied.tip.seq, in: LedgerView(storage), environment)
            }
        }
        return Archived(statement: copied.statement, receipt: answer.receipts[0])
    }
}

extension ArchivePlan {
    /// What would stop an archive once the active segment is ended: a state that does not fit into an entry. Changes nothing.
    package func checkStates(
        of projections: [any Projection.Type], in view: LedgerView, _ environment: Environment
    ) throws(LedgerError) {
        guard let last = segments.last?.last, !planted(.stateFitUntried) else { return }
        for projection in projections { try KeptStates.check(projection, at: last, in: view, environment) }
    }
}
