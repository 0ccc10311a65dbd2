package import DurableFiles
package import LedgerFormat
import CanonicalJSON
import PlantedDefects

/// Mends a damaged ledger, or releases a whole one from alert, and loses no byte of it. Where the ledger has associates, it only mends:
/// the release is theirs (`AlertRelease`).
///
/// The one way in which `ledger/` is ever replaced. Everything new is built and verified in `quarantine/`; then both directories
/// change places in one step, and what was damaged has become evidence, whole. A crash before that step leaves the damaged ledger
/// and a directory of no use; a crash behind it leaves a sound ledger whose HEAD is still the old one: the file `repair` says so, and
/// the next repair goes on there.
package struct Repair: Sendable {
    private let environment: Environment
    private let settings: WriterSettings
    private let anchor: (any AnchorStore)?
    /// After so many damages it gives up.
    package var skipCountMax = 100
    package var reason = "the ledger is repaired"
    package var rootCause: String?
    package var lesson: String?
    /// Keys whose files will never turn up: what only they can prove is given up.
    package var goneKeys: Set<KeyID> = []
    /// What associates had signed and kept: it proves a removal whose entry is lost.
    package var requests: [SignedRequest] = []
    /// Who signs for the house, where nothing that is left says it; nil to refuse then.
    package var naming: RepairPlan.Naming?
    /// Whether associates who were removed may sign again, where nothing that is left proves who came after them.
    package var acceptsRemoved = false
    /// Makes of the ledger what archives at hand prove of its beginning, from where they lie.
    package var recover: (@Sendable (LedgerView) throws(LedgerError) -> ArchiveRecovery?)?

    package init(
        _ environment: Environment, _ settings: WriterSettings = WriterSettings(), anchor: (any AnchorStore)? = nil
    ) {
        self.environment = environment
        self.settings = settings
        self.anchor = anchor
    }

    package struct Outcome: Sendable {
        /// Nil where a repair that was interrupted was brought to its end.
        package var plan: RepairPlan?
        /// Of `ledger.repaired`; nil when there was nothing to mend.
        package var receipt: Receipt?
        /// Where the damaged ledger is kept.
        package var evidence: String?
        /// The house stays locked until its associates release it.
        package var staysLocked = false
        /// What a caller should be told that is no error, such as a cut tail.
        package var notices: [String] = []
        /// What the anchor says against the ledger as it is now; nil for nothing.
        package var anchorMessage: String?
    }

    /// What would be done: something is mended, or a repair is brought to its end whose entry has the receipt.
    package enum Prospect: Sendable {
        case mend(RepairPlan)
        case finish(Receipt, evidence: String)
    }

    /// What would be done.
    package func prospect(_ storage: any Storage) throws(LedgerError) -> Prospect {
        // It reads the ledger several times, and would take for lost what leaves for an archive meanwhile.
        let watch = try AnchorWatch(anchor, storage)
        return try LedgerView.asking(storage) { view throws(LedgerError) in
            // What would stop the repair is said before it.
            if let interrupted = try interrupted(view) {
                return .finish(interrupted.receipt, evidence: interrupted.record.evidence)
            }
            return .mend(try plan(view, watch))
        }
    }

    /// With what was seen here before: its seqs are not used again, also where the ledger was put back to an older state.
    ///
    /// - Parameter watch: looked at the anchor before the ledger was, so that whoever writes meanwhile is no alarm.
    private func plan(_ view: LedgerView, _ watch: AnchorWatch?) throws(LedgerError) -> RepairPlan {
        var plan = try RepairPlan(
            view, skipCountMax: skipCountMax, goneKeys: goneKeys, recover?(view), requests: requests, naming: naming
        ) { ledger in
            guard let anchor else { return RepairPlan.Sightings() }
            let finding = watch.flatMap { $0.ledger == ledger ? $0.finding : nil } ?? anchor.read(ledger)
            return RepairPlan.Sightings(finding, at: anchor.here)
        }
        plan.acceptsRemoved = acceptsRemoved
        plan.compareSightings(view, environment)
        if let (request, why) = plan.refusedRequest {
            let what = request.arguments["key"]?.string.map { " of \($0)" } ?? ""
            throw LedgerError(
                .refused, "the request given, \(request.verb.rawValue)\(what), proves nothing here: \(why); nothing was changed")
        }
        if let why = plan.refusedNames { throw LedgerError(.refused, "\(why); nothing was changed") }
        return plan
    }

    package func run(_ storage: any Storage) throws(LedgerError) -> Outcome {
        var session = WriterSession(storage, environment, settings, anchor: anchor)
        // A tail that a crash has torn is no damage, and whoever opens the ledger mends it.
        do throws(LedgerError) {
            try session.acquire()
            session.release()
        } catch {
            // Which keys a repair cannot do without its plan says.
            guard [.tampered, .locked, .unverifiable].contains(error.code) else { throw error }
        }
        var notices = session.takeNotices()
        session = WriterSession(storage, environment, settings, anchor: anchor)
        try session.takeLock()
        defer { session.giveUp() }
        var outcome = try work(&session)
        notices += session.takeNotices() + outcome.notices
        outcome.notices = notices
        return outcome
    }

    private func work(_ session: inout WriterSession) throws(LedgerError) -> Outcome {
        let watch = try AnchorWatch(anchor, session.storage)
        let view = try LedgerView(session.storage)
        if let outcome = try resumed(view, &session) { return outcome }
        let plan = try plan(view, watch)
        if let advice = plan.missingNames ?? plan.missingConsent {
            throw LedgerError(.refused, "\(advice); nothing was changed")
        }
        guard plan.isNeeded else {
            try forgetPlan(view)
            return Outcome(plan: plan, anchorMessage: plan.anchorMessage)
        }
        var headEvidence: String?
        if !plan.faultyHead.isEmpty {
            let name = "head-\(plan.seq)-\(Digest(sha256: plan.faultyHead.span).description.prefix(16)).bin"
            headEvidence = "\(Layout.quarantine.name)/\(name)"
            try keep(plan.faultyHead, as: name, session.storage)
        }
        if plan.replacesLedger { return try replace(plan, view, headEvidence, &session) }
        let body = plan.body(evidence: nil, headEvidence: headEvidence, rootCause: rootCause, lesson: lesson)
        let (receipt, message) = try session.release(plan, view, Drafts.repaired(body, reason: reason))
        try forgetPlan(view)
        return Outcome(plan: plan, receipt: receipt, anchorMessage: message)
    }

    private func keep(_ bytes: [UInt8], as name: String, _ storage: any Storage) throws(LedgerError) {
        try doing("cannot keep HEAD as evidence") { () throws(StorageError) in
            try storage.ensureDirectory(Layout.quarantine)
            try storage.keep(StoragePath(Layout.quarantine.name, name), bytes.span)
        }
    }
}

// Another ledger in the damaged one's place
extension Repair {
    private func replace(
        _ plan: RepairPlan, _ view: LedgerView, _ headEvidence: String?, _ session: inout WriterSession
    ) throws(LedgerError) -> Outcome {
        let storage = session.storage
        let keys = view.keyring.keys
        // Nobody may write meanwhile, also after a crash.
        if let head = plan.validHead ?? view.validHead, !head.alert, let key = keys[head.key], !planted(.repairedUnderCalmHead),
            !session.raiseAlert(head, key, because: plan.trauma)
        {
            throw LedgerError(.inputOutput, "cannot repair: the alert could not be raised in HEAD; nothing was changed")
        }
        let sealing = plan.prefix.tip?.key ?? plan.lastKey
        guard let sealing, let key = keys[sealing] else {
            throw LedgerError(
                .unverifiable, "cannot repair: no entry and no HEAD says with which key to seal; restore a backup")
        }
        let name = "ledger-\(plan.seq)-\(KeyID(environment.random()))"
        let evidence = StoragePath(Layout.quarantine.name, name)
        let body = plan.body(
            evidence: evidence.description, headEvidence: headEvidence, rootCause: rootCause, lesson: lesson)
        let head = try doing("cannot read HEAD; nothing was changed") { () throws(StorageError) in
            try HeadFinding.bytes(in: storage)
        }
        let record = RepairRecord(
            ledger: plan.ledger, key: sealing, seq: plan.seq, evidence: evidence.description, body: body,
            head: Digest(sha256: head.span))
        let sealed = record.sealed(with: key)
        try doing("cannot write the plan; nothing was changed") { () throws(StorageError) in
            if !planted(.repairUnplanned) { try storage.replace(Layout.repair, sealed.span) }
        }
        do throws(LedgerError) {
            let tip = try build(plan, view, record, key, in: evidence, storage)
            try verify(evidence, tip, view)
        } catch {
            discard(evidence, storage)
            throw error
        }
        try doing("cannot put the repaired ledger in place") { () throws(StorageError) in
            try storage.checkBase()
            // An empty one says no more than none, before a crash and behind it.
            try storage.ensureDirectory(Layout.ledger)
            try storage.swap(Layout.ledger, with: evidence)
        }
        guard var outcome = try resumed(try LedgerView(storage), &session) else {
            throw LedgerError(.tampered, "the repaired ledger is not what was built; nothing more was written")
        }
        outcome.plan = plan
        return outcome
    }

    /// Gives the room back that a ledger took which could not be built; the directory stays, empty.
    private func discard(_ directory: StoragePath, _ storage: any Storage) {
        for name in (try? storage.names(in: directory)) ?? [] { try? storage.remove(StoragePath(directory, name)) }
    }

    private func build(
        _ plan: RepairPlan, _ view: LedgerView, _ record: RepairRecord, _ key: SealingKey, in directory: StoragePath,
        _ storage: any Storage
    ) throws(LedgerError) -> ChainTip {
        let draft = Drafts.repaired(record.body, reason: reason)
        // The chain goes on under the key that was in use in the end, if the damage took its introduction along.
        let lastKey = plan.lastKey ?? key.id
        var resync = Resync()
        resync.skipCountMax = skipCountMax
        resync.trustsBase = plan.trustsBase
        let survey = try resync.run(view, of: plan.ledger)
        let beginning = plan.usesArchives ? try plan.recovery?.decision() : plan.restated.map { [Drafts.archivedBefore($0)] }
        return try doing("cannot build the repaired ledger; the damaged one stays as it is") { () throws(StorageError) in
            try storage.ensureDirectory(Layout.quarantine)
            try storage.makeDirectory(directory)
            var builder = try LedgerBuilder(
                plan.prefix, plan.actors, of: plan.ledger, key: key, from: SegmentReader(storage), to: directory, settings,
                environment)
            if let gap = plan.gap { builder.leaveGap(upTo: gap.upperBound) }
            try builder.append(draft)
            builder.note(record.body)
            if lastKey != key.id, let last = view.keyring.keys[lastKey] {
                try builder.append(
                    Drafts.keyRotated(
                        to: last, from: key.id, in: plan.ledger, reason: "the entry that introduced it is among the damaged"))
                try builder.change(to: last)
            }
            var failure: StorageError?
            let salvage = try Salvage(
                view, survey, of: plan.ledger, behind: plan.prefix, head: plan.validHead, path: plan.path)
            try salvage.walk { draft, _, _, _ in
                guard let draft, failure == nil, !planted(.survivorsForgotten) else { return }
                do throws(StorageError) { try builder.append(draft) } catch { failure = error }
            }
            if let failure { throw failure }
            // Last, for behind the repair and the key's change readers look for what was re-admitted.
            for key in plan.retiredKeys.sorted(by: { $0.description < $1.description }) {
                try builder.append(Drafts.keyRetired(key, reason: "the entry that retired it stands behind the damage"))
            }
            if let beginning { try builder.append(beginning) }
            try builder.finish()
            return builder.tip
        }
    }

    /// What was built is believed only when it was read back.
    private func verify(_ directory: StoragePath, _ tip: ChainTip, _ view: LedgerView) throws(LedgerError) {
        var verifier = ChainVerifier(keys: view.keyring.keys)
        let end = try doing("cannot read the repaired ledger; the damaged one stays as it is") { () throws(StorageError) in
            var reader = try SegmentReader(view.storage, in: directory)
            return try reader.scan(&verifier)
        }
        guard end == .complete && verifier.tip?.hash == tip.hash || planted(.builtLedgerUnverified) else {
            throw LedgerError(
                .inputOutput, "the repaired ledger could not be read back as it was written; the damaged one stays as it is")
        }
    }

    /// Brings a repair to its end whose ledger is in place already; nil if there is none.
    private func resumed(_ view: LedgerView, _ session: inout WriterSession) throws(LedgerError) -> Outcome? {
        guard let interrupted = try interrupted(view) else { return nil }
        // Whoever was killed in the midst of it may not have come to this.
        try doing("the ledger is repaired, but that cannot be made durable") { () throws(StorageError) in
            if planted(.resumedSwapUnsynced) { return }
            try view.storage.synchronize(directory: nil)
            try view.storage.synchronize(directory: Layout.quarantine)
        }
        let message = try session.settle(interrupted.verifier, view)
        try forgetPlan(view)
        return Outcome(
            receipt: interrupted.receipt, evidence: interrupted.record.evidence, staysLocked: session.head?.alert ?? false,
            anchorMessage: message)
    }

    /// A repair whose ledger is in place, and whose HEAD is not there yet: a verifier at its end, and the receipt of its entry.
    private func interrupted(
        _ view: LedgerView
    ) throws(LedgerError) -> (record: RepairRecord, verifier: ChainVerifier, receipt: Receipt)? {
        guard let record = try record(view) else { return nil }
        // An old plan, put back, ends nothing.
        guard record.head == Digest(sha256: view.headBytes.span) || planted(.oldPlanFollowed) else { return nil }
        var verifier = ChainVerifier(keys: view.keyring.keys)
        var receipt: Receipt?
        let end = try doing("cannot read the ledger") { () throws(StorageError) in
            var reader = try SegmentReader(view.storage)
            return try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    if frame.seq == record.seq, bytes.text(frame.action) == ChainTurn.repaired,
                        bytes.copy(frame.body) == record.body.canonicalBytes()
                    {
                        receipt = Entry(frame, of: bytes).receipt
                    }
                    return true
                })
        }
        guard end == .complete, let receipt else { return nil }
        return (record, verifier, receipt)
    }

    /// The plan that lies in the file `repair`, if one of our keys has sealed it for this ledger.
    private func record(_ view: LedgerView) throws(LedgerError) -> RepairRecord? {
        var bytes: [UInt8] = []
        do throws(StorageError) {
            bytes = try view.storage.open(Layout.repair, .read).contents(upTo: RepairRecord.byteCountMax)
        } catch {
            if case .refused = error.kind {
                throw LedgerError(error, doing: "cannot repair before what stands in the place of a repair's plan is moved away")
            }
            if !error.isNotFound { throw LedgerError(error, doing: "cannot read the plan of a repair") }
        }
        guard let record = RepairRecord(bytes, keys: view.keyring.keys), record.ledger == view.ledger else { return nil }
        return record
    }

    /// Removes a plan of ours that is carried out, or never will be.
    private func forgetPlan(_ view: LedgerView) throws(LedgerError) {
        guard try record(view) != nil else { return }
        try doing("the ledger is repaired, but the plan cannot be removed") { () throws(StorageError) in
            try view.storage.remove(Layout.repair)
            if !planted(.forgottenPlanUnsynced) { try view.storage.synchronize(directory: nil) }
        }
    }
}

// HEAD, once the chain is whole
extension WriterSession {
    /// Records a repair behind a ledger whose bytes are whole, and releases the alert.
    ///
    /// A crash between the entry and HEAD leaves the alert; the next repair records itself once more.
    fileprivate mutating func release(
        _ plan: RepairPlan, _ view: LedgerView, _ draft: Draft
    ) throws(LedgerError) -> (receipt: Receipt, anchorMessage: String?) {
        // What HEAD vouched for was durable, if it is this ledger's.
        let proven = plan.contradictsHead ? nil : plan.validHead.map { Place(segment: $0.segment, offset: $0.end, seq: $0.seq) }
        try stand(view, provenUpTo: proven ?? Place(segment: 1, offset: 0, seq: 1))
        guard let state else { preconditionFailure("the session stands") }
        var writer = FrameWriter(after: state.tip, synced: state.tip.seq, key: state.key)
        if let gap = plan.gap { writer.leaveGap(upTo: gap.upperBound) }
        let receipt: Receipt
        do throws(DraftError) {
            receipt = try writer.append(draft, at: environment.now())
        } catch {
            preconditionFailure("the ledger's own draft is refused: \(error)")
        }
        try append(writer.block.span, tip: writer.tip)
        try writeHead(replacing: view.foundHead)
        return (receipt, keepAnchor(behindRepairWith: view.keyring))
    }

    /// HEAD vouches for everything that was verified, and the alert is released; what the anchor says against that.
    fileprivate mutating func settle(_ verifier: ChainVerifier, _ view: LedgerView) throws(LedgerError) -> String? {
        // It was synchronised before it was put in place.
        try stand(view, provenUpTo: verifier.position)
        // Where the ledger has associates, they release it.
        let isSuspended = actors.associates?.isSuspended == true && !planted(.repairReleases)
        try writeHead(replacing: view.foundHead, alert: isSuspended)
        return keepAnchor(behindRepairWith: view.keyring)
    }

    /// Stands behind the last entry of a whole ledger, under a HEAD that is not there yet.
    private mutating func stand(_ view: LedgerView, provenUpTo proven: Place) throws(LedgerError) {
        var reader = try doing("cannot read the ledger") { () throws(StorageError) in try SegmentReader(storage) }
        var verifier = ChainVerifier(keys: view.keyring.keys)
        let end = try doing("cannot read the ledger") { () throws(StorageError) in try reader.scan(&verifier) }
        if case .failed(let failure) = end { throw tampered(failure) }
        guard let tip = verifier.tip, let first = reader.segments.first else {
            throw tampered(ChainFailure(.head(.missing), at: .head))
        }
        try stand(
            behind: verifier, Head(alert: false, end: 1, segment: first, tip: tip), view.keyring,
            provenUpTo: proven, reader)
        // HEAD is replaced once, when the entry is there.
        state?.isHeadMissing = true
    }

    /// The lock is given back without another look at HEAD.
    mutating func giveUp() {
        state = nil
        storage.unlock(.writer)
    }
}

extension LedgerView {
    /// What stands in HEAD's place and has its form, as a writer sees it: perhaps another ledger's.
    fileprivate var foundHead: Head? { HeadFinding(headBytes, keys: keyring.keys).head }
}
