/// The last entry of a verified chain: all that the next one must agree with.
package struct ChainTip: Sendable, Equatable {
    package var ledger: LedgerID
    /// The key that the next entry must be sealed with.
    package var key: KeyID
    /// 0 before the first entry.
    package var seq: UInt64
    package var hash: Digest
    package var synced: UInt64
    package var time: Timestamp

    /// The tip of a ledger that has no entry yet.
    package init(emptyLedger ledger: LedgerID, key: KeyID) {
        self.init(
            ledger: ledger, key: key, seq: 0, hash: .zero, synced: 0,
            time: Timestamp(microseconds: Timestamp.range.lowerBound))
    }

    /// The tip that a frame of `bytes` is.
    package init(_ frame: FrameView, of bytes: Span<UInt8>) {
        self.init(
            ledger: frame.ledger(in: bytes), key: frame.key(in: bytes), seq: frame.seq, hash: frame.hash(in: bytes),
            synced: frame.synced, time: frame.time)
        if frame.isTurn, case .rotation(let next, _) = ChainTurn(frame, bytes) { key = next }
    }

    private init(ledger: LedgerID, key: KeyID, seq: UInt64, hash: Digest, synced: UInt64, time: Timestamp) {
        self.ledger = ledger
        self.key = key
        self.seq = seq
        self.hash = hash
        self.synced = synced
        self.time = time
    }
}

/// A place in a ledger: where a frame starts, or should.
package struct Place: Sendable, Equatable {
    /// First seq of the segment; 0 stands for the file HEAD.
    package var segment: UInt64
    /// Bytes from the segment's start.
    package var offset: Int
    /// The seq that stands or was expected there.
    package var seq: UInt64

    package init(segment: UInt64, offset: Int, seq: UInt64) {
        self.segment = segment
        self.offset = offset
        self.seq = seq
    }
}

extension Place: CustomStringConvertible {
    /// As in a verdict line (FORMAT.md §6).
    package var description: String { "segment \(segmentName), offset \(offset), seq \(seq)" }

    package var segmentName: String { segment == 0 ? "HEAD" : SegmentName.file(firstSeq: segment) }
}

/// The names of segment files: the first seq in 20 digits.
package enum SegmentName {
    package static func file(firstSeq: UInt64) -> String {
        var bytes = Array("00000000000000000000.frames".utf8)
        var (rest, index) = (firstSeq, 20)
        while rest > 0 {
            index -= 1
            bytes[index] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The first seq of a segment's file name; nil for any other name.
    package static func firstSeq(file: String) -> UInt64? {
        let bytes = Array(file.utf8)
        guard bytes.count == 27, file.hasSuffix(".frames"), bytes[..<20].allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        guard let seq = UInt64(String(decoding: bytes[..<20], as: UTF8.self)), (1...Limits.seq).contains(seq) else { return nil }
        return seq
    }
}
