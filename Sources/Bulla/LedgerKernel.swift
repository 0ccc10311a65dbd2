import DurableFiles
import Kernel
import Ledger
import LedgerFormat

/// Decides on state that is folded from the ledger; safe to use from many tasks, whose decisions are taken one after the other.
public final class LedgerKernel: Sendable {
    /// IO: the ledger's files.
    private let decider: IOLock<Decider>
    private let storage: any Storage

    init(_ storage: any Storage, anchor: (any AnchorStore)?, snapshotEvery: UInt64) {
        self.storage = storage
        var decider = Decider(storage, .system, anchor: anchor)
        decider.snapshotInterval = snapshotEvery
        self.decider = IOLock(path: storage.basePath, decider)
    }

    /// Takes the ledger's lock, catches up with what others recorded, asks `rule`, and records what it wants.
    ///
    /// - Parameters:
    ///   - actor: in whose name it is decided; the rule finds it in the moment.
    ///   - rule: pure, and short: others wait meanwhile. It may be asked again. To say no it throws a `LedgerFailure`, usually
    ///     `refused`, and nothing is written.
    /// - Returns: the rule's reply, and a receipt for each event, when they are on the disk.
    @concurrent
    public func decide<State: Projection, Reply>(
        on _: State.Type = State.self, as actor: String,
        _ rule: @Sendable (State, Moment) throws(LedgerFailure) -> Decision<Reply>
    ) async throws(LedgerFailure) -> (reply: Reply, receipts: [Receipt]) {
        try publicly { () throws(LedgerError) in
            try decider.withLock { decider throws(LedgerError) in
                let decided = try decider.decide(on: ProgramState<State>.self, as: actor) { folded, moment throws(LedgerError) in
                    let decision: Decision<Reply>
                    do throws(LedgerFailure) { decision = try rule(folded.state, Moment(moment)) } catch {
                        throw LedgerError(error)
                    }
                    return Kernel.Decision(decision.events.map(\.draft), reply: decision.reply)
                }
                return (decided.reply, decided.receipts.map(Receipt.init))
            }
        }
    }

    /// The state as it is now; takes no lock and writes nothing.
    ///
    /// - Throws: `tampered` at damage, `unverifiable` when a key is missing.
    @concurrent
    public func project<State: Projection>(_: State.Type = State.self) async throws(LedgerFailure) -> State {
        try publicly { () throws(LedgerError) in
            let view = try LedgerView(storage)
            var fold = try FoundFold<ProgramState<State>>(in: view, .system).fold
            try fold.advance(in: view, .system)
            return fold.state.state
        }
    }
}

extension LedgerError {
    /// What a program's rule says.
    fileprivate init(_ failure: LedgerFailure) {
        self.init(ErrorCode(rawValue: failure.code.rawValue) ?? .refused, failure.message)
    }
}
