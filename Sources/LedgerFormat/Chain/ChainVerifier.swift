/// Checks a chain of frames: fed with a segment's bytes piece by piece, it yields verified entries or the first failure.
///
/// A value without I/O. Memory is constant: nothing is kept of an entry but what the next one must agree with.
/// Without the key it checks everything that needs none; `isFullyVerified` says which it was.
package struct ChainVerifier: Sendable {
    /// The last verified entry; nil before the first.
    package private(set) var tip: ChainTip?
    /// Behind the last verified frame.
    package private(set) var position = Place(segment: 1, offset: 0, seq: 1)
    /// Where the decision starts whose last entry is still to come.
    package private(set) var openDecision: Place?
    /// The key that the chain calls for, once known and if present.
    package private(set) var key: SealingKey?
    package private(set) var entryCount: UInt64 = 0

    /// The first entry that was verified here: what the piece before it must lead to.
    package internal(set) var first: FrameView?

    package let knownKeys: [KeyID: SealingKey]
    /// Whether a HEAD is compared on the way.
    private let head: Head?
    private var expectedPart: Part?
    private var isLastSegment = false
    private var inPadding = false
    /// The first frame is taken as it stands: only its own seal is checked, not its link.
    private var takesFirstUnlinked: Bool

    package enum Outcome: Sendable, Equatable {
        /// Everything given was verified but the last bytes, which begin a frame; feed again from `consumed`, with more.
        case wantsMore(consumed: Int, atLeast: Int)
        case failed(ChainFailure)
        /// The visitor wanted no more.
        case stopped
    }

    /// Verifies from the first entry of a ledger.
    package init(keys: [KeyID: SealingKey], head: Head? = nil) {
        knownKeys = keys
        self.head = head
        takesFirstUnlinked = false
    }

    /// Verifies what follows a verified entry that ends at `position`.
    package init(after tip: ChainTip, position: Place, keys: [KeyID: SealingKey], head: Head? = nil) {
        self.init(keys: keys, head: head)
        self.tip = tip
        self.position = position
        key = keys[tip.key]
    }

    /// Verifies from the frame at `position` in a ledger whose id and key are known; of that frame only its own seal.
    package init(at position: Place, of ledger: LedgerID, key: KeyID, keys: [KeyID: SealingKey], head: Head? = nil) {
        self.init(keys: keys, head: head)
        tip = ChainTip(emptyLedger: ledger, key: key)
        self.position = position
        self.key = keys[key]
        takesFirstUnlinked = true
    }

    /// Whether SIGs were checked too.
    package var isFullyVerified: Bool { key != nil }

    /// Whether the chain went up to the entry that HEAD vouches for.
    package var reachedHead: Bool { head.map { position.seq > $0.seq } ?? true }

    /// Goes on to the next segment; a verifier that starts inside a segment is told of that one too.
    package mutating func beginSegment(firstSeq: UInt64, isLast: Bool, offset: Int = 0) throws(ChainFailure) {
        if offset == 0 {
            if openDecision != nil { throw failure(.incompleteDecision) }
            guard takesFirstUnlinked || firstSeq == position.seq else { throw failure(.segmentName(found: firstSeq)) }
        }
        position = Place(segment: firstSeq, offset: offset, seq: position.seq)
        isLastSegment = isLast
        inPadding = false
    }

    /// Verifies the frames in `bytes`, which stand behind those verified before.
    ///
    /// - Parameters:
    ///   - isEnd: whether the segment ends with these bytes.
    ///   - visit: called for each verified entry with the buffer its view refers to; false stops.
    package mutating func feed(
        _ bytes: Span<UInt8>, isEnd: Bool, visit: (FrameView, Span<UInt8>) -> Bool = { _, _ in true }
    ) -> Outcome {
        var start = 0
        while start < bytes.count {
            if inPadding {
                guard bytes.isNUL(from: start) else { return .failed(failure(.bytesAfterPadding)) }
                return .wantsMore(consumed: bytes.count, atLeast: 1)
            }
            switch FrameView.find(in: bytes, at: start) {
            case .padding:
                guard isLastSegment else { return .failed(failure(.paddingInSealedSegment)) }
                inPadding = true
            case .incomplete(let atLeast):
                if isEnd { return .failed(failure(.endsInsideFrame)) }
                return .wantsMore(consumed: start, atLeast: atLeast)
            case .fault(let fault):
                return .failed(failure(.frame(fault)))
            case .frame(let frame):
                if let reason = check(frame, bytes) { return .failed(failure(reason)) }
                accept(frame)
                start = frame.frame.upperBound
                if !visit(frame, bytes) { return .stopped }
            }
        }
        return .wantsMore(consumed: start, atLeast: 1)
    }

    /// Call after the last segment: whether anything that must be there is not.
    package func finish() throws(ChainFailure) {
        if let head, !reachedHead { throw failure(.shorterThanHead(vouched: head.seq)) }
        if let openDecision { throw ChainFailure(.incompleteDecision, at: openDecision) }
    }

    /// Counts entries that another verifier of the same chain has seen.
    package mutating func addEntries(_ count: UInt64) { entryCount += count }

    /// A failure at the place where verification stands.
    package func failure(_ reason: ChainFailure.Reason) -> ChainFailure { ChainFailure(reason, at: position) }
}

// The checks of one entry, in the order of FORMAT.md §4.
extension ChainVerifier {
    private func check(_ frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        if let tip, !takesFirstUnlinked {
            guard frame.ledger == tip.ledger else { return .foreignLedger(found: frame.ledger) }
            guard frame.seq == position.seq else { return .seq(found: frame.seq) }
            guard frame.previousHash == tip.hash else { return .link }
            guard frame.synced >= tip.synced, frame.synced < frame.seq else { return .synced(found: frame.synced) }
        } else if let tip {
            guard frame.ledger == tip.ledger else { return .foreignLedger(found: frame.ledger) }
            guard frame.seq == position.seq else { return .seq(found: frame.seq) }
            guard frame.synced < frame.seq else { return .synced(found: frame.synced) }
        } else {
            guard frame.seq == 1 else { return .seq(found: frame.seq) }
            guard frame.previousHash == .zero else { return .link }
            guard frame.synced == 0 else { return .synced(found: frame.synced) }
            guard bytes.holds("ledger.genesis\"", at: frame.action.lowerBound) else { return .genesisExpected }
        }
        guard takesFirstUnlinked || frame.part == expectedPart || (expectedPart == nil && frame.part?.index == 1) else {
            return .part
        }
        if let tip, frame.key != tip.key { return .key(found: frame.key) }
        return checkSeal(frame, bytes) ?? checkVersion(frame) ?? checkHead(frame)
    }

    private func checkSeal(_ frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        let entry = bytes.extracting(frame.entry)
        guard SealEngine.hash(of: entry, signatureText: bytes.extracting(frame.signatureText)) == frame.hash else { return .hash }
        guard let key = key ?? knownKeys[frame.key] else { return nil }
        return SealEngine.signature(of: entry, with: key) == frame.sig ? nil : .signature
    }

    private func checkVersion(_ frame: FrameView) -> ChainFailure.Reason? {
        switch frame.version {
        case 1: nil
        case 0: .frame(.member("v"))
        default: .laterVersion(found: frame.version)
        }
    }

    private func checkHead(_ frame: FrameView) -> ChainFailure.Reason? {
        guard let head, frame.seq == head.seq else { return nil }
        let end = position.offset + frame.frame.count
        guard head.segment == position.segment, head.end == end, head.tip == frame.hash else { return .headMismatch }
        if let part = frame.part, !part.isLast { return .headInsideDecision }
        return nil
    }

    private mutating func accept(_ frame: FrameView) {
        if key == nil { key = knownKeys[frame.key] }
        if let part = frame.part, !part.isLast {
            if openDecision == nil { openDecision = position }
            expectedPart = Part(index: part.index + 1, count: part.count)
        } else {
            openDecision = nil
            expectedPart = nil
        }
        takesFirstUnlinked = false
        if first == nil { first = frame }
        tip = ChainTip(frame)
        entryCount += 1
        position.offset += frame.frame.count
        position.seq = frame.seq + 1
    }
}

extension Span where Element == UInt8 {
    /// Whether every byte from `start` on is NUL.
    func isNUL(from start: Int) -> Bool {
        var any: UInt8 = 0
        for index in start..<count { any |= self[index] }
        return any == 0
    }
}
