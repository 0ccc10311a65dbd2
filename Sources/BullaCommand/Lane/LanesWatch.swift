import Kernel
import Lanes
import Ledger
import LedgerFormat

/// Folds on from look to look.
struct LanesWatch {
    struct State {
        var lanes = Lanes()
        var seq: UInt64 = 0
        var now: Instant
        var isAlert = false
        var trouble: LedgerError?
    }

    private let options: LedgerOptions
    private let environment: Environment = .system
    private var fold: Fold<Lanes>?
    /// What was seen before is better than nothing, beside what is wrong now.
    private var state: State

    init(_ options: LedgerOptions) {
        self.options = options
        state = State(now: Instant(environment))
    }

    mutating func look() -> State {
        state.isAlert = false
        state.trouble = nil
        do throws(LedgerError) {
            let view = try LedgerView(try options.storage())
            state.isAlert = view.validHead?.alert ?? false
            var fold: Fold<Lanes>
            if let known = self.fold { fold = known } else { fold = try FoundFold(in: view, environment).fold }
            // Another history is folded from its own beginning the next time.
            self.fold = nil
            try fold.advance(in: view, environment)
            (state.lanes, state.seq) = (fold.state, fold.seq)
            self.fold = fold
        } catch {
            state.trouble = error
        }
        state.now = Instant(environment)
        return state
    }
}
