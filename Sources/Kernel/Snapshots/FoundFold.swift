package import Ledger
import DurableFiles

/// A fold that begins at the newest snapshot which the ledger bears out, or at the beginning.
package struct FoundFold<State: Projection>: Sendable {
    package var fold = Fold<State>()
    /// The snapshot that it begins at.
    package private(set) var snapshotSeq: UInt64?
    /// Snapshots that were looked at and are not used, with the reason: they never override the ledger.
    package private(set) var ignored: [(seq: UInt64, fault: SnapshotFault)] = []

    /// - Throws: where the beginning was archived, and nothing says what the state was behind it.
    package init(in view: LedgerView, to end: FoldEnd = .tip, _ environment: Environment) throws(LedgerError) {
        let folder = SnapshotFolder<State>(view.storage)
        // A folder that cannot be read, or is none, holds no snapshot; who writes one is told.
        for seq in ((try? folder.seqs()) ?? []).reversed() where seq <= end.seq && seq + 1 >= view.firstSeq {
            switch folder.load(seq, in: view, environment) {
            case .success(let snapshot):
                if let time = end.time, snapshot.mark.latest > time { continue }
                fold = Fold(snapshot.state, at: snapshot.mark)
                snapshotSeq = seq
                return
            case .failure(let fault): ignored.append((seq, fault))
            }
        }
        fold = try Fold(beginningOf: view, to: end, environment)
    }

    /// What a reader says of snapshots that he ignored: those that a writer would put away. Others would be named at each call.
    package var notices: [String] {
        ignored.filter { $0.fault.isPutAway }.map {
            "the snapshot \(SnapshotFolder<State>.path(of: $0.seq)) is ignored: \($0.fault)"
        }
    }
}
