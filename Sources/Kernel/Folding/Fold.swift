package import Ledger

/// A projection's state at an entry of the ledger, and the way on from there.
package struct Fold<State: Projection>: Sendable {
    package private(set) var state: State
    /// The last entry that was folded, or passed because it is none of the projection's; nil before the first.
    package private(set) var mark: Mark?

    /// Before the first entry.
    package init() { state = State() }

    /// Behind an entry whose state was kept.
    init(_ state: State, at mark: Mark) {
        self.state = state
        self.mark = mark
    }

    package var seq: UInt64 { mark?.seq ?? 0 }

    /// Folds the verified entries that follow, up to `end`; what `FactReader.read` throws is thrown with everything before it folded.
    package mutating func advance(
        in view: LedgerView, to end: FoldEnd = .tip, _ environment: Environment
    ) throws(LedgerError) {
        var mark = mark
        defer { self.mark = mark }
        try FactReader(view, of: State.namespaces, environment).read(after: &mark, to: end) { state.apply($0) }
    }
}
