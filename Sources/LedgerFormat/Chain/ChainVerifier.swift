import CanonicalJSON
import PlantedDefects

/// Checks a chain of frames: fed with a segment's bytes piece by piece, it yields verified entries or the first failure.
///
/// A value without I/O. Memory is constant: nothing is kept of an entry but what the next one must agree with, and the ids of the last
/// signed ones.
/// Without a key it checks everything that needs none; `absentKeys` says which were not there.
package struct ChainVerifier: Sendable {
    /// Where the chain stands: all that the next entry must agree with.
    struct Standing: Sendable {
        /// The last entry's.
        var synced: UInt64 = 0
        /// Behind the last frame.
        var position = Place(segment: 1, offset: 0, seq: 1)
        /// Where the decision starts whose last entry is still to come.
        var openDecision: Place?
        var expectedPart: Part?
        /// The next frame is taken as it stands: only its own seal is checked, not its link.
        var takesUnlinked = false
        /// The next frame may name any key.
        var takesAnyKey = false
        /// The next frame is the first one behind an archive: what it builds on is taken as it stands.
        var takesBase = false
    }

    /// With everything whose seal was checked.
    private(set) var verified = Standing()
    /// The last verified entry; nil before the first.
    package private(set) var tip: ChainTip?
    var roster = KeyRoster()
    package private(set) var entryCount: UInt64 = 0
    /// The first entry that was verified here: what the piece before it must lead to.
    package internal(set) var beginning: Beginning?

    /// Who is enrolled; nil while that is not known, because the walk began inside a segment: then no signature is looked at.
    package var actors: ActorRoster?
    /// Somebody is enrolled, or it is not known yet who is: then every entry is looked at, and else those alone that say it.
    var watchesActors = true
    /// Whether who is enrolled is asked for, and signatures are looked at. Not in what stands behind damage: a byte too many moves
    /// the entry that says it, and a sound entry is no less sound where it stands now.
    package var judgesActors = true
    /// Who was, as the first entry that was verified here has it.
    var actorsAtBeginning: ActorRoster?
    /// What signed entries have spent here; of what lies before the first one nothing is known.
    package internal(set) var signedIDs = SignedIDs()

    /// What the first entry builds on, if that is no genesis because what lies before was archived.
    package var base: ChainBase?
    /// The entry that says so.
    package internal(set) var explanation: UInt64?
    /// Where the chain begins on trust; nil if it does not.
    private var trustedStart: UInt64?
    /// A segment was begun; what follows one without frames is not the ledger's beginning.
    private var hasBegun = false

    package let knownKeys: [KeyID: SealingKey]
    /// Whether entries may have members that format 1 does not know, between those that it does; sealed they must be all the same.
    package var allowsExtraMembers = false
    /// Whether the walk goes on behind an entry of a later version: what needs no knowledge of it is checked all the same, and
    /// `laterVersion` says where the first one stands. Otherwise such an entry is a failure.
    package var passesLaterVersions = false
    package private(set) var laterVersion: ChainFailure?
    /// Whether a HEAD is compared on the way.
    private(set) var head: Head?
    private var isLastSegment = false
    private var inPadding = false
    private var scanner = CanonicalScanner()

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
        self.tip = tip
        verified.synced = tip.synced
        verified.position = position
    }

    /// Verifies from the frame at `position` in a ledger whose id is known; of that frame only its own seal.
    ///
    /// - Parameter key: the one that the chain calls for behind that frame; nil if that is not known: then the frame says it.
    package init(at position: Place, of ledger: LedgerID, key: KeyID?, keys: [KeyID: SealingKey], head: Head? = nil) {
        self.init(after: ChainTip(emptyLedger: ledger, key: key ?? KeyID(0)), position: position, keys: keys, head: head)
        verified.takesUnlinked = true
        verified.takesAnyKey = key == nil
    }

    /// Keys that were not there to check SIGs with, and are still needed for that.
    package var absentKeys: Set<KeyID> { roster.absent }
    /// The same, each with the keys that sealed its retirement; a walk that goes on where this one ended carries them.
    package var absences: [KeyID: Set<KeyID>] { roster.absences }

    /// Takes over which keys an earlier walk, up to where this one begins, had not.
    package mutating func carry(_ absences: [KeyID: Set<KeyID>]) {
        if !planted(.absencesForgotten) { roster.carry(absences) }
    }

    /// The keys that tell whose frames are sound behind the tip; none if the one that the chain calls for there is absent.
    package var keysBehind: [KeyID: SealingKey] { tip.flatMap { knownKeys[$0.key] } == nil ? [:] : knownKeys }

    /// Whether nothing is taken on trust any more: the chain begins with its first entry, or an entry explains why not.
    package var isFounded: Bool { base == nil && trustedStart == nil || explanation != nil || planted(.baseUnexplained) }

    /// Whether nothing was looked at yet.
    package var isFresh: Bool { tip == nil && position == Standing().position }

    /// Whether the chain went up to the entry that HEAD vouches for.
    package var reachedHead: Bool { head.map { position.seq > $0.seq } ?? true }

    /// Goes on to the next segment; a verifier that starts inside a segment is told of that one too.
    ///
    /// Where the first segment is not the ledger's first, the chain begins on trust, and an entry must explain that.
    package mutating func beginSegment(firstSeq: UInt64, isLast: Bool, offset: Int = 0) throws(ChainFailure) {
        defer { hasBegun = true }
        if actors == nil { watchesActors = true }
        if isFresh, !hasBegun, firstSeq > 1, offset == 0 {
            trustedStart = firstSeq
            verified.takesBase = true
            verified.position.seq = firstSeq
        }
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
        // The frame found last; `isBehind` says whether the next one is compared with it.
        var frame = FrameView()
        var isBehind = false
        // Frames that fit the chain and whose seals are checked together.
        var pending: [FrameView] = []
        pending.reserveCapacity(Self.batchCount)
        var start = 0
        var end: Outcome?
        while start < bytes.count, end == nil {
            if inPadding {
                end =
                    bytes.isNUL(from: start) || planted(.bytesBehindPaddingIgnored)
                    ? .wantsMore(consumed: bytes.count, atLeast: 1) : .failed(.init(.bytesAfterPadding, at: ahead.position))
                break
            }
            switch frame.move(to: start, in: bytes, isBehind: isBehind, allowsExtraMembers: allowsExtraMembers, &scanner) {
            case .padding:
                if isLastSegment || planted(.paddingAnywhere) {
                    inPadding = true
                } else {
                    end = .failed(.init(.paddingInSealedSegment, at: ahead.position))
                }
            case .incomplete(let atLeast):
                end = isEnd ? .failed(.init(.endsInsideFrame, at: ahead.position)) : .wantsMore(consumed: start, atLeast: atLeast)
            case .fault(let fault):
                end = .failed(.init(.frame(fault), at: ahead.position))
            case nil:
                if !ahead.isPlainlyContinued(by: frame) {
                    let tip = frame.continuesPrevious ? nil : pending.last.map { ChainTip($0, of: bytes) } ?? tip
                    if let reason = ahead.objection(to: frame, behind: tip, bytes) {
                        end = .failed(.init(reason, at: ahead.position))
                        break
                    }
                }
                pending.append(frame)
                ahead.accept(frame)
                isBehind = true
                start = frame.frame.upperBound
                if pending.count == Self.batchCount || frame.isTurn {
                    if let early = check(pending, bytes, visit) { return early }
                    pending.removeAll(keepingCapacity: true)
                }
                if frame.isTurn {
                    // What follows must agree with what the entry says, and not with its text.
                    ahead = verified
                    isBehind = false
                }
            }
        }
        // What was found in frames before comes before what was found behind them.
        return check(pending, bytes, visit) ?? end ?? .wantsMore(consumed: start, atLeast: 1)
    }

    /// How many seals are checked together.
    private static let batchCount = 256

    /// Checks the seals of the frames that wait, accepts and shows them one by one; an outcome if that ends the feeding.
    private mutating func check(
        _ pending: [FrameView], _ bytes: Span<UInt8>, _ visit: (FrameView, Span<UInt8>) -> Bool
    ) -> Outcome? {
        guard let first = pending.first else { return nil }
        // All of them name the same key, or there would be an objection.
        let key = knownKeys[first.key(in: bytes)]
        let fault = SealEngine.firstFault(in: pending, of: bytes, key: key)
        var outcome: Outcome?
        var accepted = 0
        while accepted < pending.count, outcome == nil {
            let frame = pending[accepted]
            if verified.takesBase {
                base = ChainBase(
                    seq: verified.position.seq, previousHash: frame.previousHash(in: bytes), key: frame.key(in: bytes))
            }
            if let fault, fault.index == accepted {
                outcome = .failed(failure(fault.fault == .hash ? .hash : .signature))
            } else if let reason = objectionAfterSeal(to: frame, bytes) {
                outcome = .failed(failure(reason))
            } else if judgesActors, frame.isTurn || watchesActors, let reason = objectionOfActors(to: frame, bytes) {
                outcome = .failed(failure(reason))
            } else {
                note(frame, bytes)
                verified.accept(frame)
                accepted += 1
                if !visit(frame, bytes) { outcome = .stopped }
            }
        }
        if accepted > 0 {
            tip = ChainTip(pending[accepted - 1], of: bytes)
            entryCount += UInt64(accepted)
            if key == nil { roster.noteUnchecked(first.key(in: bytes)) }
            if beginning == nil { beginning = Beginning(first, of: bytes, segment: position.segment) }
        }
        return outcome
    }

    /// What is wrong if no entry explains what the first one builds on.
    package var unfounded: ChainFailure? {
        isFounded ? nil : ChainFailure(.segmentName(found: base?.seq ?? trustedStart ?? 0), at: Standing().position)
    }

    /// Call after the last segment: whether anything that must be there is not.
    package func finish() throws(ChainFailure) {
        if let head, !reachedHead, !planted(.shorterThanHeadAccepted) { throw failure(.shorterThanHead(vouched: head.seq)) }
        if let unfounded { throw unfounded }
        if let openDecision, !planted(.incompleteDecisionAccepted) { throw ChainFailure(.incompleteDecision, at: openDecision) }
    }

    /// Counts entries that another verifier of the same chain has seen.
    package mutating func addEntries(_ count: UInt64) { entryCount += count }

    /// A failure at the place where verification stands.
    package func failure(_ reason: ChainFailure.Reason) -> ChainFailure { ChainFailure(reason, at: position) }
}

// The checks of one entry, in the order of FORMAT.md §4: first what needs no seal …
extension ChainVerifier.Standing {
    /// Whether a frame says what nearly all say: then `objection` has none, and passing the frame to it is spared.
    @inline(__always)
    fileprivate func isPlainlyContinued(by frame: FrameView) -> Bool {
        frame.continuesPrevious && !frame.isTurn && frame.part == nil && expectedPart == nil
            && frame.seq == position.seq && frame.synced >= synced && frame.synced < frame.seq
    }

    /// - Parameter tip: the entry before; nil if there is none, or if the texts of both said already that one follows the other.
    fileprivate func objection(to frame: FrameView, behind tip: ChainTip?, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        let turn = frame.isTurn ? ChainTurn(frame, bytes) : nil
        if frame.isTurn, turn == nil { return .turn(action: bytes.text(frame.action)) }
        let isFirst = tip == nil && !frame.continuesPrevious
        if let tip, frame.ledger(in: bytes) != tip.ledger, !planted(.ledgerUnchecked) {
            return .foreignLedger(found: frame.ledger(in: bytes))
        }
        guard follows(frame, turn) || planted(.seqUnchecked) else { return .seq(found: frame.seq) }
        if let tip, !takesUnlinked, frame.previousHash(in: bytes) != tip.hash, !planted(.linkUnchecked) { return .link }
        if isFirst, !takesBase, frame.previousHash(in: bytes) != .zero { return .link }
        guard frame.synced >= synced && frame.synced < frame.seq || planted(.syncedUnchecked) else {
            return .synced(found: frame.synced)
        }
        if isFirst, frame.seq == 1, !bytes.holds("ledger.genesis\"", at: frame.action.lowerBound), !planted(.genesisUnchecked) {
            return .genesisExpected
        }
        guard
            takesUnlinked || planted(.partUnchecked) || frame.part == expectedPart
                || (expectedPart == nil && frame.part?.index == 1)
        else { return .part }
        if let tip, !takesAnyKey, frame.key(in: bytes) != tip.key, !planted(.keyUnchecked) {
            // HEAD names the key that is called for behind its entry, and that may be the one that introduces it.
            guard takesUnlinked, case .rotation(tip.key, _) = turn else { return .key(found: frame.key(in: bytes)) }
        }
        if case .retirement(frame.key(in: bytes)) = turn { return .turn(action: ChainTurn.retired) }
        return nil
    }

    /// Whether its seq may stand here: the next one, or one behind a gap that a repair names.
    private func follows(_ frame: FrameView, _ turn: ChainTurn?) -> Bool {
        guard case .repair(let gap?) = turn else { return frame.seq == position.seq }
        // Who begins at the frame itself does not know where the gap does.
        if takesUnlinked, frame.seq == position.seq { return gap.upperBound + 1 == frame.seq }
        return (gap.lowerBound == position.seq || planted(.gapUnchecked)) && gap.upperBound + 1 == frame.seq
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
        takesAnyKey = false
        takesBase = false
        synced = frame.synced
        position.offset += frame.frame.count
        position.seq = frame.seq + 1
    }
}

// … then, with the seal, the version and HEAD.
extension ChainVerifier {
    // Mutating, though it changes nothing: else the whole verifier would be copied for each frame.
    private mutating func objectionAfterSeal(to frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        if frame.version == 0 { return .frame(.member("v")) }
        if frame.version > 1, !passesLaterVersions, !planted(.laterVersionAccepted) { return .laterVersion(found: frame.version) }
        if frame.isTurn, let reason = objection(toTurn: frame, bytes) { return reason }
        // An archive is made of what HEAD vouched for already: one that lies before the first entry was put back.
        if let head, verified.takesBase, head.seq < verified.position.seq { return .headMismatch }
        guard let head, frame.seq >= head.seq, head.seq >= position.seq, !planted(.headUncompared) else { return nil }
        let end = position.offset + frame.frame.count
        // In a gap no entry is that HEAD could vouch for.
        guard frame.seq == head.seq, head.segment == position.segment, head.end == end, head.tip == frame.hash(in: bytes),
            head.key == ChainTip(frame, of: bytes).key || planted(.headKeyUncompared)
        else { return .headMismatch }
        if let part = frame.part, !part.isLast { return .headInsideDecision }
        return nil
    }

    private func objection(toTurn frame: FrameView, _ bytes: Span<UInt8>) -> ChainFailure.Reason? {
        if let keys = keysExplained(by: frame, bytes) {
            return keys.allSatisfy(roster.allows) ? nil : .turn(action: ArchiveStatement.action)
        }
        guard case .rotation(let new, let proof) = ChainTurn(frame, bytes) else { return nil }
        guard roster.allows(new), new != frame.key(in: bytes) || planted(.keyReintroduced) else {
            return .turn(action: ChainTurn.rotated)
        }
        if let key = knownKeys[new], key.proof(in: frame.ledger(in: bytes), after: frame.key(in: bytes)) != proof,
            !planted(.introductionUnproven)
        {
            return .keyProof(of: new)
        }
        return nil
    }

    /// What an accepted entry says of keys.
    private mutating func note(_ frame: FrameView, _ bytes: Span<UInt8>) {
        if judgesActors, frame.isTurn || watchesActors { noteActors(frame, bytes) }
        if frame.version > 1, laterVersion == nil { laterVersion = failure(.laterVersion(found: frame.version)) }
        if entryCount == 0, beginning == nil, tip == nil { roster.introduce(frame.key(in: bytes)) }
        guard frame.isTurn else { return }
        switch ChainTurn(frame, bytes) {
        case .rotation(let key, _): roster.introduce(key)
        case .retirement(let key): roster.retire(key, by: frame.key(in: bytes))
        case .archive:
            guard let keys = keysExplained(by: frame, bytes) else { return }
            explanation = frame.seq
            for key in keys { roster.introduce(key) }
        case .repair, .roster, nil: break
        }
    }

    /// The keys that were in use before the first entry, if this is the entry that explains why the chain begins there.
    private func keysExplained(by frame: FrameView, _ bytes: Span<UInt8>) -> [KeyID]? {
        guard let base, explanation == nil, let statement = frame.archived(in: bytes) else { return nil }
        guard statement.explains(base) || planted(.baseUncompared) else { return nil }
        return statement.keys(before: base)
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
