import CanonicalJSON

/// Checks a chain of frames: fed with a segment's bytes piece by piece, it yields verified entries or the first failure.
///
/// A value without I/O. Memory is constant: nothing is kept of an entry but what the next one must agree with.
/// Without the key it checks everything that needs none; `isFullyVerified` says which it was.
package struct ChainVerifier: Sendable {
    /// Where the chain stands: all that the next entry must agree with.
    struct Standing: Sendable {
        /// The last entry; nil before the first.
        var tip: ChainTip?
        /// Behind the last frame.
        var position = Place(segment: 1, offset: 0, seq: 1)
        /// Where the decision starts whose last entry is still to come.
        var openDecision: Place?
        var expectedPart: Part?
        /// The next frame is taken as it stands: only its own seal is checked, not its link.
        var takesUnlinked = false
    }

    /// With everything whose seal was checked.
    private(set) var verified = Standing()
    /// The key that the chain calls for, once known and if present.
    package private(set) var key: SealingKey?
    package private(set) var entryCount: UInt64 = 0
    /// The first entry that was verified here: what the piece before it must lead to.
    package internal(set) var first: FrameView?

    package let knownKeys: [KeyID: SealingKey]
    /// Whether a HEAD is compared on the way.
    private var head: Head?
    private var isLastSegment = false
    private var inPadding = false
    /// Frames that fit the chain and whose seals are checked together; empty between two calls.
    private var pending: [FrameView] = []
    private var scanner = CanonicalScanner()

    /// The last verified entry; nil before the first.
    package var tip: ChainTip? { verified.tip }
    /// Behind the last verified frame.
    package var position: Place { verified.position }
    /// Where the decision starts whose last entry is still to come.
    package var openDecision: Place? { verified.openDecision }

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
    }

    /// Verifies what follows a verified entry that ends at `position`.
    package init(after tip: ChainTip, position: Place, keys: [KeyID: SealingKey], head: Head? = nil) {
        self.init(keys: keys, head: head)
        verified.tip = tip
        verified.position = position
        key = keys[tip.key]
    }

    /// Verifies from the frame at `position` in a ledger whose id and key are known; of that frame only its own seal.
    package init(at position: Place, of ledger: LedgerID, key: KeyID, keys: [KeyID: SealingKey], head: Head? = nil) {
        self.init(after: ChainTip(emptyLedger: ledger, key: key), position: position, keys: keys, head: head)
        verified.takesUnlinked = true
    }

    /// Whether SIGs were checked too.
    package var isFullyVerified: Bool { key != nil }

    /// Whether the chain went up to the entry that HEAD vouches for.
    package var reachedHead: Bool { head.map { position.seq > $0.seq } ?? true }

    /// Goes on to the next segment; a verifier that starts inside a segment is told of that one too.
    package mutating func beginSegment(firstSeq: UInt64, isLast: Bool, offset: Int = 0) throws(ChainFailure) {
        if offset == 0 {
            if openDecision != nil { throw failure(.incompleteDecision) }
            guard verified.takesUnlinked || firstSeq == position.seq else { throw failure(.segmentName(found: firstSeq)) }
        }
        verified.position = Place(segment: firstSeq, offset: offset, seq: position.seq)
        isLastSegment = isLast
        inPadding = false
    }

    /// Goes on from where it stands, compared with a HEAD that came later.
    package mutating func compare(with head: Head?) {
        self.head = head
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
        var ahead = verified
        var start = 0
        var end: Outcome?
        while start < bytes.count, end == nil {
            if inPadding {
                end =
                    bytes.isNUL(from: start)
                    ? .wantsMore(consumed: bytes.count, atLeast: 1) : .failed(.init(.bytesAfterPadding, at: ahead.position))
                break
            }
            switch FrameView.find(in: bytes, at: start, &scanner) {
            case .padding:
                if isLastSegment { inPadding = true } else { end = .failed(.init(.paddingInSealedSegment, at: ahead.position)) }
            case .incomplete(let atLeast):
                end = isEnd ? .failed(.init(.endsInsideFrame, at: ahead.position)) : .wantsMore(consumed: start, atLeast: atLeast)
            case .fault(let fault):
                end = .failed(.init(.frame(fault), at: ahead.position))
            case .frame(let frame):
                if let reason = ahead.objection(to: frame, bytes) {
                    end = .failed(.init(reason, at: ahead.position))
                    break
                }
                pending.append(frame)
                ahead.accept(frame)
                start = frame.frame.upperBound
                if pending.count == Self.batchCount, let early = checkPending(bytes, visit) { return early }
            }
        }
        // What was found in frames before comes before what was found behind them.
        return checkPending(bytes, visit) ?? end ?? .wantsMore(consumed: start, atLeast: 1)
    }

    /// How many seals are checked together.
    private static let batchCount = 256

    /// Checks the seals of the frames that wait, accepts and shows them one by one; an outcome if that ends the feeding.
    private mutating func checkPending(_ bytes: Span<UInt8>, _ visit: (FrameView, Span<UInt8>) -> Bool) -> Outcome? {
        guard let first = pending.first else { return nil }
        let fault = SealEngine.firstFault(in: pending, of: bytes, key: key ?? knownKeys[first.key])
        defer { pending.removeAll(keepingCapacity: true) }
        for index in pending.indices {
            if let fault, fault.index == index { return .failed(failure(fault.fault == .hash ? .hash : .signature)) }
            if let reason = objectionAfterSeal(to: pending[index]) { return .failed(failure(reason)) }
            accept(pending[index])
            if !visit(pending[index], bytes) { return .stopped }
        }
        return nil
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

// The checks of one entry, in the order of FORMAT.md §4: first what needs no seal …
extension ChainVerifier.Standing {
    fileprivate func objection(to frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        if let tip {
            guard frame.ledger == tip.ledger else { return .foreignLedger(found: frame.ledger) }
            guard frame.seq == position.seq else { return .seq(found: frame.seq) }
            guard takesUnlinked || frame.previousHash == tip.hash else { return .link }
            guard frame.synced >= tip.synced, frame.synced < frame.seq else { return .synced(found: frame.synced) }
        } else {
            guard frame.seq == 1 else { return .seq(found: frame.seq) }
            guard frame.previousHash == .zero else { return .link }
            guard frame.synced == 0 else { return .synced(found: frame.synced) }
            guard bytes.holds("ledger.genesis\"", at: frame.action.lowerBound) else { return .genesisExpected }
        }
        guard takesUnlinked || frame.part == expectedPart || (expectedPart == nil && frame.part?.index == 1) else { return .part }
        if let tip, frame.key != tip.key { return .key(found: frame.key) }
        return nil
    }

    fileprivate mutating func accept(_ frame: FrameView) {
        if let part = frame.part, !part.isLast {
            if openDecision == nil { openDecision = position }
            expectedPart = part.next
        } else {
            openDecision = nil
            expectedPart = nil
        }
        takesUnlinked = false
        tip = ChainTip(frame)
        position.offset += frame.frame.count
        position.seq = frame.seq + 1
    }
}

// … then, with the seal, the version and HEAD.
extension ChainVerifier {
    private func objectionAfterSeal(to frame: FrameView) -> ChainFailure.Reason? {
        if frame.version == 0 { return .frame(.member("v")) }
        if frame.version > 1 { return .laterVersion(found: frame.version) }
        guard let head, frame.seq == head.seq else { return nil }
        let end = position.offset + frame.frame.count
        guard head.segment == position.segment, head.end == end, head.tip == frame.hash else { return .headMismatch }
        if let part = frame.part, !part.isLast { return .headInsideDecision }
        return nil
    }

    private mutating func accept(_ frame: FrameView) {
        if first == nil { first = frame }
        if key == nil { key = knownKeys[frame.key] }
        verified.accept(frame)
        entryCount += 1
    }
}

extension Span where Element == UInt8 {
    /// Whether every byte from `start` on is NUL.
    func isNUL(from start: Int) -> Bool {
        var index = start
        var any: UInt64 = 0
        while let word = fullWord(at: index) {
            any |= word
            index += 8
        }
        while index < count {
            any |= UInt64(self[index])
            index += 1
        }
        return any == 0
    }
}
