package import DurableFiles
package import Ledger
package import LedgerFormat

/// Decides under the writer's lock, on state that is folded from everything before.
///
/// A value for one thread at a time. Rules are pure: what they see is state and a `Moment`, and what they answer is a `Decision`.
package struct Decider: Sendable {
    var session: WriterSession
    let environment: Environment
    /// Entries from one snapshot to the next.
    package var snapshotInterval: UInt64 = 10_000
    /// Where entries lie that left the ledger, and hold texts of handbooks.
    package var archives: [any Storage] = []
    /// What was folded already, by the projection's name.
    private var folds: [String: any Sendable] = [:]
    /// Snapshots that are there and do not count, by the projection's name.
    private var ignoredSeqs: [String: Set<UInt64>] = [:]
    private var notices: [String] = []

    package init(
        _ storage: any Storage, _ environment: Environment, _ settings: WriterSettings = WriterSettings(),
        anchor: (any AnchorStore)? = nil
    ) {
        session = WriterSession(storage, environment, settings, anchor: anchor)
        self.environment = environment
    }

    /// Takes the lock, catches up, asks `rule`, records what it wants, and gives the lock back; then runs its effects.
    ///
    /// - Parameter rule: pure; it may be asked again.
    /// - Throws: what the rule threw, and then nothing was written; or what the ledger says.
    package mutating func decide<State: Projection, Reply>(
        on type: State.Type, as actor: String, _ rule: (State, Moment) throws(LedgerError) -> Decision<Reply>
    ) throws(LedgerError) -> Decided<Reply> {
        try decide(on: type, as: actor, reading: { _ in }) { state, _, moment throws(LedgerError) in try rule(state, moment) }
    }

    /// The same for a rule that asks for more than the state.
    ///
    /// - Parameter read: reads it under the lock, before the rule is asked.
    package mutating func decide<State: Projection, Reading, Reply>(
        on _: State.Type, as actor: String, reading read: (Surroundings) throws(LedgerError) -> Reading,
        _ rule: (State, Reading, Moment) throws(LedgerError) -> Decision<Reply>
    ) throws(LedgerError) -> Decided<Reply> {
        try session.acquire()
        let (decision, answer) = try releasing { decider throws(LedgerError) in
            let view = try LedgerView(decider.session.storage)
            let fold = try decider.caughtUp(State.self, in: view)
            let moment = decider.moment(as: actor, fold.mark)
            let reading = try read(Surroundings(view: view, ranks: decider.session.ranks, tip: moment.seq))
            let decision = try rule(fold.state, reading, moment)
            let answer = try decider.commit(decision, as: actor)
            decider.goOn(from: fold, in: view)
            return (decision, answer)
        }
        let receipts = Array(answer.receipts.prefix(decision.drafts.count))
        let results =
            answer.isRepetition ? [] : try perform(decision.effects, requests: answer.receipts.dropFirst(receipts.count), actor)
        return Decided(
            reply: decision.reply, receipts: receipts, isRepetition: answer.isRepetition, overrode: answer.overrode,
            results: results)
    }

    /// What lies around the state that is decided on.
    package struct Surroundings: Sendable {
        package var view: LedgerView
        /// Who prevails over whom.
        package var ranks: ActorRanks
        /// The last entry's seq.
        package var tip: UInt64
    }

    /// Writes a snapshot of the state as it is now.
    ///
    /// - Returns: the seq that it is of.
    package mutating func snapshot<State: Projection>(of _: State.Type) throws(LedgerError) -> UInt64 {
        try session.acquire()
        return try releasing { decider throws(LedgerError) in
            let fold = try decider.caughtUp(State.self, in: try LedgerView(decider.session.storage))
            guard try decider.keepSnapshot(fold) else {
                throw LedgerError(.refused, "the state of \(State.name) is larger than a snapshot may be")
            }
            return fold.seq
        }
    }

    /// What happened since the last call that is no error.
    package mutating func takeNotices() -> [String] {
        defer { notices = [] }
        return notices + session.takeNotices()
    }

    /// Runs a section under the lock, which is given back however it ends.
    mutating func releasing<Answer>(
        _ section: (inout Decider) throws(LedgerError) -> Answer
    ) throws(LedgerError) -> Answer {
        do throws(LedgerError) {
            let answer = try section(&self)
            session.release()
            return answer
        } catch {
            session.release()
            throw error
        }
    }

    func moment(as actor: String, _ mark: Mark?) -> Moment {
        let now = environment.now()
        return Moment(
            actor: actor, now: now, boot: environment.bootTime(), latest: mark?.latest ?? now, seq: mark?.seq ?? 0,
            random: environment.random())
    }
}

// State
extension Decider {
    /// The projection's state at the tip; requires the lock.
    mutating func caughtUp<State: Projection>(_: State.Type, in view: LedgerView) throws(LedgerError) -> Fold<State> {
        if var fold = folds[State.name] as? Fold<State> {
            // Whatever is wrong with it, it is folded anew the next time; at once, if the entry that it stands at was archived.
            folds[State.name] = nil
            do throws(LedgerError) {
                try advance(&fold, in: view)
                return fold
            } catch {
                guard error.cause == .archived else { throw error }
            }
        }
        let found = try FoundFold<State>(in: view, environment)
        ignoredSeqs[State.name] = Set(found.ignored.map(\.seq))
        if !found.ignored.isEmpty { try quarantine(found) }
        var fold = found.fold
        try advance(&fold, in: view)
        return fold
    }

    /// Up to the tip that the session knows: what was preallocated behind it is not read again.
    private mutating func advance<State: Projection>(_ fold: inout Fold<State>, in view: LedgerView) throws(LedgerError) {
        try fold.advance(in: view, to: FoldEnd(seq: session.tip?.seq ?? .max), environment)
        folds[State.name] = fold
    }

    /// Folds what was recorded just now, and keeps a snapshot if one is due; what goes wrong here leaves the decision as durable as it is.
    mutating func goOn<State: Projection>(from fold: Fold<State>, in view: LedgerView) {
        var fold = fold
        do throws(LedgerError) {
            try advance(&fold, in: view)
            try keepSnapshotIfDue(fold)
        } catch {
            notices.append("it is recorded, but the state of \(State.name) was not kept for the next decision: \(error)")
        }
    }

    /// Records and puts away what is no snapshot of this ledger, so that it is looked at once.
    ///
    /// A crash behind the entry leaves the file: it is recorded and put away once more, and its evidence is there once.
    private mutating func quarantine<State: Projection>(_ found: FoundFold<State>) throws(LedgerError) {
        for (seq, fault) in found.ignored {
            // Honest when it was made, and perhaps forged since by who has that key now: nobody can tell, and so it just does not count.
            if fault == .earlierKey { continue }
            if case .untold = fault { continue }
            let path = SnapshotFolder<State>.path(of: seq)
            if case .unreadable = fault {
                // What is no file of ours stays where it is, and is recorded once.
                let draft = SnapshotEvidence.draft(ofUnreadable: path, fault)
                guard try !session.commit([[draft]])[0].get().isRepetition else { continue }
                notices.append("the snapshot \(path) is ignored: \(fault)")
                continue
            }
            let evidence = try SnapshotEvidence(path, upTo: Snapshot<State>.byteCountMax, in: session.storage)
            _ = try session.commit([[evidence.draft(fault)]])[0].get()
            try evidence.removeOriginal(in: session.storage)
            notices.append("the snapshot \(evidence.path) is ignored, and kept in \(evidence.kept): \(fault)")
        }
    }
}

// Entries
extension Decider {
    private mutating func commit<Reply>(
        _ decision: Decision<Reply>, as actor: String
    ) throws(LedgerError) -> WriterSession.Answer {
        guard !decision.drafts.isEmpty || !decision.effects.isEmpty else { return WriterSession.Answer(receipts: []) }
        var drafts = decision.drafts
        for effect in decision.effects { drafts.append(try effect.request(as: actor)) }
        return try session.commit([drafts])[0].get()
    }

    /// Runs effects without the lock, and records what came of each.
    private mutating func perform(
        _ effects: [Effect], requests: ArraySlice<Receipt>, _ actor: String
    ) throws(LedgerError) -> [Effect.Result] {
        var results: [Effect.Result] = []
        for (effect, request) in zip(effects, requests) {
            let result = effect.perform()
            results.append(result)
            try session.acquire()
            try releasing { decider throws(LedgerError) in
                _ = try decider.session.commit([[try effect.conclusion(result, of: request, as: actor)]])[0].get()
            }
        }
        return results
    }
}

// Snapshots
extension Decider {
    /// Writes a snapshot if so many entries, of whatever kind, lie behind the last one. Folds before it takes the lock: nobody waits for that.
    ///
    /// - Returns: the seq that it is of; nil if none is due.
    package mutating func snapshotIfDue<State: Projection>(of _: State.Type) throws(LedgerError) -> UInt64? {
        let view = try LedgerView(session.storage)
        guard let seq = view.validHead?.seq, seq >= (try lastSnapshotSeq(of: State.self)) + snapshotInterval else { return nil }
        folds[State.name] = try vouchedFold(of: State.self, to: seq, in: view)
        return try snapshot(of: State.self)
    }

    /// The state at what HEAD vouches for: what lies behind may still be cut.
    private mutating func vouchedFold<State: Projection>(
        of _: State.Type, to seq: UInt64, in view: LedgerView
    ) throws(LedgerError) -> Fold<State> {
        if var fold = folds[State.name] as? Fold<State> {
            folds[State.name] = nil
            do throws(LedgerError) {
                try fold.advance(in: view, to: FoldEnd(seq: seq), environment)
                return fold
            } catch {
                // The entry that it stands at was archived.
                guard error.cause == .archived else { throw error }
            }
        }
        var fold = try FoundFold<State>(in: view, environment).fold
        try fold.advance(in: view, to: FoldEnd(seq: seq), environment)
        return fold
    }

    private func lastSnapshotSeq<State: Projection>(of _: State.Type) throws(LedgerError) -> UInt64 {
        try doing("cannot look for snapshots") { () throws(StorageError) in
            let ignored = ignoredSeqs[State.name] ?? []
            return try SnapshotFolder<State>(session.storage).seqs().last { !ignored.contains($0) } ?? 0
        }
    }

    private mutating func keepSnapshotIfDue<State: Projection>(_ fold: Fold<State>) throws(LedgerError) {
        if fold.seq >= (try lastSnapshotSeq(of: State.self)) + snapshotInterval { _ = try keepSnapshot(fold) }
    }

    /// Only of what HEAD vouches for: what lies behind may still be cut.
    private mutating func keepSnapshot<State: Projection>(_ fold: Fold<State>) throws(LedgerError) -> Bool {
        guard let key = session.sealingKey, let tip = session.tip, let mark = fold.mark, mark.seq == tip.seq else { return false }
        try session.vouch()
        return try SnapshotFolder<State>(session.storage).save(
            Snapshot(ledger: tip.ledger, mark: mark, state: fold.state), key)
    }
}
