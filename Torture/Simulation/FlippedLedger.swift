import DurableFiles
import Ledger
import LedgerFormat
import TestSupport

/// A ledger in memory that is damaged and mended, bit by bit.
struct FlippedLedger: Sendable {
    let machine: SimulatedMachine
    let head: Head
    let targets: FlipTargets
    let model: FlipModel

    /// Most is vouched for, and the last blocks are not: there a crash could have been at work, and a flip is none.
    private static let unvouchedFrameCount = 9

    init(_ ledger: SampleLedger) {
        let frame = ledger.decisionEnd(atOrBefore: ledger.frames.count - 1 - Self.unvouchedFrameCount)
        head = ledger.head(upTo: frame)
        machine = ledger.machine.copy()
        let bytes = head.sealed(with: ledger.key)
        machine.disk.setBytes(of: Layout.head, to: bytes)
        targets = FlipTargets(ledger, headByteCount: bytes.count)
        model = FlipModel(ledger, head: frame, headBytes: bytes)
    }
}
