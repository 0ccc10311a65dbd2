import DurableFiles
import Ledger
import LedgerFormat

/// The bytes of a ledger that can be flipped: those of its key file, then HEAD, then its segments, all over.
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
    /// Of key file and HEAD.
    let smallByteCount: Int
    private let order: Scattered

    init(_ ledger: SampleLedger, headByteCount: Int) {
        self.ledger = ledger
        keyPath = StoragePath(Layout.keys.name, SealingKey.fileName(ledger.key.id))
        smallByteCount = SealingKey.fileByteCount + headByteCount
        order = Scattered(ledger.segments.reduce(0) { $0 + $1.bytes.count })
    }

    var byteCount: Int { smallByteCount + order.count }

    /// A byte of some frame, chosen by what it is for: one of the first few, which say how long it is, or the line feed.
    func frameBorder(_ random: inout SeededGenerator) -> Target {
        let segment = random.below(ledger.segments.count)
        let frames = ledger.segments[segment].frames
        precondition(!frames.isEmpty, "only an entry begins a segment")
        let bytes = ledger.frames[frames.lowerBound + random.below(frames.count)].bytes
        let offset = random.coin() ? bytes.upperBound - 1 : bytes.lowerBound + random.below(4)
        return Target(path: ledger.segments[segment].path, segment: segment, offset: offset)
    }

    subscript(number: Int) -> Target {
        precondition(number < byteCount)
        if number < SealingKey.fileByteCount { return Target(path: keyPath, segment: nil, offset: number) }
        if number < smallByteCount {
            return Target(path: Layout.head, segment: nil, offset: number - SealingKey.fileByteCount)
        }
        var rest = order[number - smallByteCount]
        for (index, segment) in ledger.segments.enumerated() {
            if rest < segment.bytes.count { return Target(path: segment.path, segment: index, offset: rest) }
            rest -= segment.bytes.count
        }
        preconditionFailure("the segments have \(order.count) bytes")
    }
}
