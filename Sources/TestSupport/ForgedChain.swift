import CanonicalJSON
import DurableFiles
import Ledger
package import LedgerFormat

/// A chain made entry by entry, honest unless told otherwise, whose keys change and which may have gaps.
package struct ForgedChain: Sendable {
    /// The segments so far, by the seq that they are named after.
    package private(set) var segments: [(firstSeq: UInt64, bytes: [UInt8])] = [(1, [])]
    /// What the next honest entry must agree with.
    package private(set) var tip: ChainTip
    /// The entries so far: where each starts, where it ends, and the tip that it is.
    package private(set) var entries: [(start: Place, end: Place, tip: ChainTip)] = []

    /// - Parameter begins: whether with a genesis.
    package init(begins: Bool = true) {
        tip = ChainTip(emptyLedger: LedgerID(0x0011_2233_4455_6677, 0x8899_AABB_CCDD_EEFF), key: Self.keys[0].id)
        if begins { append { $0.action = "ledger.genesis" } }
    }

    /// The keys of the chain in their order: bytes 0 to 31 as in FORMAT.md's example, 32 to 63, and so on.
    package static let keys = (0..<6).map { number in SealingKey(bytes: (0..<32).map { UInt8(32 * number + $0) }) }

    /// Those with these numbers.
    package static func keys(_ numbers: some Sequence<Int>) -> [KeyID: SealingKey] {
        Dictionary(uniqueKeysWithValues: numbers.map { (keys[$0].id, keys[$0]) })
    }

    package var bytes: [UInt8] { segments[0].bytes }

    /// Appends an entry that is changed before it is sealed with the key that it names, or with another.
    package mutating func append(by key: SealingKey? = nil, _ change: (inout Forge) -> Void = { _ in }) {
        let forge = Forge(after: tip, change)
        guard let key = key ?? Self.keys.first(where: { $0.id.description == forge.key }) else {
            preconditionFailure("the forged entry names no key of ours")
        }
        let frame = forge.frame(key)
        guard case .frame(let view) = FrameView.find(in: frame.span, at: 0) else {
            preconditionFailure("no frame: \(forge.entry)")
        }
        let last = segments.count - 1
        let start = Place(segment: segments[last].firstSeq, offset: segments[last].bytes.count, seq: tip.seq + 1)
        segments[last].bytes += frame
        tip = ChainTip(view, of: frame.span)
        let end = Place(segment: start.segment, offset: segments[last].bytes.count, seq: tip.seq + 1)
        entries.append((start, end, tip))
    }

    /// - Parameter proof: in the place of the true one.
    package mutating func rotate(to key: SealingKey, proof: String? = nil) {
        let proof = proof ?? key.proof(in: tip.ledger, after: tip.key).description
        append {
            $0.action = ChainTurn.rotated
            $0.body = #"{"key":"\#(key.id)","proof":"\#(proof)"}"#
        }
    }

    package mutating func retire(_ key: SealingKey) {
        append {
            $0.action = ChainTurn.retired
            $0.body = #"{"key":"\#(key.id)"}"#
        }
    }

    /// - Parameters:
    ///   - gap: the missing seqs that it names; nil for none.
    ///   - seq: its own, where that is not the one behind the gap.
    package mutating func repair(gap: (first: UInt64, last: UInt64)?, seq: UInt64? = nil) {
        append {
            $0.action = ChainTurn.repaired
            if let gap {
                $0.body = #"{"gap":{"first":\#(gap.first),"last":\#(gap.last)}}"#
                $0.seq = String(gap.last + 1)
            }
            if let seq { $0.seq = String(seq) }
        }
    }

    /// Goes on in a segment of its own.
    ///
    /// - Parameter firstSeq: its name, where that is not the seq that is expected.
    package mutating func roll(firstSeq: UInt64? = nil) { segments.append((firstSeq ?? tip.seq + 1, [])) }

    /// Loses its first segments, as an archive leaves it.
    package mutating func drop(_ count: Int) { segments.removeFirst(count) }

    /// The HEAD that vouches for everything up to an entry, by its index; the last one by default.
    package func head(_ index: Int? = nil) -> Head {
        let entry = entries[index ?? entries.count - 1]
        return Head(alert: false, end: entry.end.offset, segment: entry.end.segment, tip: entry.tip)
    }

    /// Writes it as a ledger with these keys in place.
    package func write(to directory: TemporaryDirectory, name: String, keys: some Sequence<SealingKey>, head: [UInt8]) throws {
        let storage = try POSIXStorage(constructing: directory.path(name), random: 1)
        for folder in [Layout.ledger, Layout.keys, Layout.quarantine, Layout.snapshots] { try storage.makeDirectory(folder) }
        for key in keys {
            let file = key.fileContents
            try storage.create(StoragePath(Layout.keys.name, SealingKey.fileName(key.id)), file.span)
        }
        for segment in segments {
            try storage.create(SegmentReader.path(ofSegment: segment.firstSeq), segment.bytes.span)
        }
        try storage.create(Layout.head, head.span)
        try storage.publish()
    }
}
