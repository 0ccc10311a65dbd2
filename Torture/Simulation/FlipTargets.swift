import DurableFiles
import Ledger
import LedgerFormat

/// The bytes of a ledger that can be flipped: those of its segments, then its key file, then HEAD.
struct FlipTargets: Sendable {
    struct Target: Sendable, CustomStringConvertible {
        var path: StoragePath
        /// Its index, if the byte lies in a segment.
        var segment: Int?
        var offset: Int

        var description: String { "\(path), byte \(offset)" }
    }

    private let ledger: SampleLedger
    private let keyPath: StoragePath
    let byteCount: Int

    init(_ ledger: SampleLedger, headByteCount: Int) {
        self.ledger = ledger
        keyPath = StoragePath(Layout.keys.name, SealingKey.fileName(ledger.key.id))
        byteCount = ledger.segments.reduce(SealingKey.fileByteCount + headByteCount) { $0 + $1.bytes.count }
    }

    subscript(number: Int) -> Target {
        precondition(number < byteCount)
        var rest = number
        for (index, segment) in ledger.segments.enumerated() {
            if rest < segment.bytes.count { return Target(path: segment.path, segment: index, offset: rest) }
            rest -= segment.bytes.count
        }
        if rest < SealingKey.fileByteCount { return Target(path: keyPath, segment: nil, offset: rest) }
        return Target(path: Layout.head, segment: nil, offset: rest - SealingKey.fileByteCount)
    }
}
