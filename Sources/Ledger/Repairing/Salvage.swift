import DurableFiles
import LedgerFormat
import PlantedDefects

/// The sound frames behind a damaged ledger's prefix: each entry once, in the order of the seqs under which it was recorded.
///
/// An entry that an earlier repair took over counts under its own seq, not under that of the `ledger.readmitted` around it. So order is
/// restored where whole frames changed places, and also where a ledger that was repaired before is damaged again.
struct Salvage {
    /// Frames that stand one behind the other in a segment, sealed with one key, and whose own seqs follow each other too.
    private struct Stretch {
        /// With the seq of the first frame; its own may be another.
        var start: Place
        /// Behind the last frame.
        var end: Int
        var key: KeyID
        var seqs: ClosedRange<UInt64>
        var isProven: Bool
        /// The run that they are of.
        var run: Int
        /// Their seals were checked, or links lead from them to one that was.
        var isSealed: Bool

        /// The own seqs of those frames whose seqs lie in a range.
        func own(_ range: ClosedRange<UInt64>) -> ClosedRange<UInt64>? {
            let frames = start.seq...start.seq + (seqs.upperBound - seqs.lowerBound)
            guard frames.overlaps(range) else { return nil }
            let wanted = frames.clamped(to: range)
            return seqs.lowerBound + (wanted.lowerBound - start.seq)...seqs.lowerBound + (wanted.upperBound - start.seq)
        }
    }

    /// What is taken over of a stretch.
    private struct Piece {
        var stretch: Stretch
        var seqs: ClosedRange<UInt64>
    }

    private let view: LedgerView
    private let ledger: LedgerID
    private let prefix: RepairPlan.Prefix
    private let head: Head?
    /// HEAD, also where its MAC could not be checked.
    private let vouched: Head?
    private var stretches: [Stretch] = []
    /// The keys of each run, and how many entries are linked there.
    private var runs: [(keys: Set<KeyID>, count: UInt64)] = []
    private var pieces: [Piece] = []
    private var traces = KeyWindows.Traces()
    private(set) var windows: KeyWindows
    /// Of the frames that count, also of doubled ones: the highest seq, with the key that the chain calls for behind it.
    private(set) var last: (seq: UInt64, key: KeyID)?
    /// Of all sound frames behind the prefix.
    private(set) var frameCount: UInt64 = 0
    /// How many frames do not count because the chain cannot have called for their key there.
    private(set) var foreignCounts: [KeyID: UInt64] = [:]
    /// How many frames do not count because their key is not there to check them with.
    private(set) var keylessCounts: [KeyID: UInt64] = [:]
    /// Who is enrolled, by the prefix and by all sound entries behind it: what they say is added up, and nothing is taken away.
    private(set) var actors: ActorRoster
    private var statedActors: [(roster: ActorRoster, isProven: Bool)] = []
    /// What sound entries behind the prefix say of associates, and what associates signed there.
    private(set) var associateTraces = Associates.Mending.Traces()
    /// The last entry that says who is enrolled; 0 for none.
    private var lastStatedSeq: UInt64 = 0
    private var signers: Set<String> = []
    /// An entry calls for another key than HEAD, which vouches for it, names.
    private(set) var contradictsHeadKey = false
    /// A later version of bulla has written some of what HEAD proves.
    private(set) var holdsLaterVersion = false

    /// Reads all of them once; only where they stand is kept.
    ///
    /// - Parameters:
    ///   - head: a valid one.
    ///   - path: what that HEAD proves.
    init(
        _ view: LedgerView, _ survey: Survey, of ledger: LedgerID, behind prefix: RepairPlan.Prefix, head: Head?, path: ProvenPath
    ) throws(StorageError) {
        self.view = view
        self.ledger = ledger
        self.prefix = prefix
        vouched = head
        // Only a HEAD whose MAC was checked proves anything.
        self.head = head.flatMap { view.keyring.keys[$0.key] == nil ? nil : $0 }
        windows = KeyWindows(behind: prefix, head: self.head, traces)
        actors = prefix.actors
        try find(path)
        for run in survey.runs { try find(run, besides: path) }
        windows = KeyWindows(behind: prefix, head: self.head, traces)
        choose(candidates())
        // What HEAD proves comes before what may be of an older state.
        for stated in statedActors.filter(\.isProven) + statedActors.filter({ !$0.isProven }) where !planted(.enrolmentsForgotten)
        {
            actors = actors.merged(with: stated.roster)
        }
        if !prefix.knowsActors { findAssociates() }
    }

    /// Where nothing of the beginning is left, the last sound entry that states associates is believed; without one, what archives say.
    private mutating func findAssociates() {
        let proven = statedActors.filter(\.isProven).compactMap(\.roster.associates)
        let last = (proven.isEmpty ? associateTraces.stated : proven).max { $0.act.seq < $1.act.seq }
        actors.associates = last ?? actors.associates
    }

    /// Whether anything behind the prefix says if there are associates: that there are none, only what HEAD proves.
    var tellsAssociates: Bool { statedActors.contains { $0.isProven || $0.roster.associates != nil } }

    /// Who speaks with a signature, and of whom nobody says that he was enrolled.
    var strangers: [String] {
        signers.filter { name in !actors.enrolments.contains { $0.actor.utf8.elementsEqual(name.utf8) } }.sorted()
    }

    /// Whether a sound frame has the seq, whatever becomes of it.
    func holds(_ seq: UInt64) -> Bool {
        stretches.contains { seq >= $0.start.seq && seq - $0.start.seq < UInt64($0.seqs.count) }
    }

    /// Whether a sound entry, at a seq or behind it, says who is enrolled.
    func tellsActors(from seq: UInt64) -> Bool { lastStatedSeq >= seq }

    /// No entry says that HEAD's key was replaced before what it vouches for, or that another was called for there.
    var isHeadTrusted: Bool { windows.isHeadBelieved && !contradictsHeadKey }

    /// Shows what is taken over; the view refers to the bytes that come with it. A nil draft is nested too deeply.
    ///
    /// What was found is shown as it was found, by its own seals: whatever place it has now, nothing that was counted is left out.
    func walk(_ visit: (_ draft: Draft?, _ isProven: Bool, FrameView, Span<UInt8>) -> Void) throws(StorageError) {
        let finder = FrameFinder(ledger: ledger, keys: view.keyring.keys, takesAbsentKeys: true)
        let reader = try SegmentReader(view.storage)
        var ids = prefix.signedIDs
        for piece in pieces {
            let stretch = piece.stretch
            var seq = stretch.seqs.lowerBound
            try reader.find(finder, in: stretch.start.segment, from: stretch.start.offset, upTo: stretch.end) { frame, bytes, _ in
                if piece.seqs.contains(seq) {
                    let isProven = stretch.isProven && isAuthentic(frame, bytes, &ids)
                    let found = Readmission.draft(of: frame, in: bytes, isProven: isProven)
                    visit(found?.draft, found?.isProven ?? false, frame, bytes)
                }
                seq += 1
                return seq <= piece.seqs.upperBound
            }
            // Who writes now has no lock, and takes bytes away that were read already.
            guard seq > piece.seqs.upperBound else {
                let path = SegmentReader.path(ofSegment: stretch.start.segment)
                throw StorageError(.drift, "read", "\(view.storage.basePath)/\(path)")
            }
        }
    }

    /// What somebody says in an enrolled actor's name does not count, however well it is sealed, nor does what was signed once and is
    /// recorded a second time.
    private func isAuthentic(_ frame: FrameView, _ bytes: Span<UInt8>, _ ids: inout SignedIDs) -> Bool {
        guard !actors.isEmpty, !planted(.readmittedUnsigned) else { return true }
        if planted(.repeatedReadmitted) { ids = SignedIDs() }
        return actors.objection(to: frame, in: bytes, &ids) == nil
    }

    private func verifier(at place: Place) -> ChainVerifier {
        ChainVerifier(ofSurvivorsAt: place, of: ledger, keys: view.keyring.keys)
    }
}

// Where they stand
extension Salvage {
    /// What is known while frames are read that are linked with each other.
    private struct Reading {
        /// Entries of a decision, until all of them are there.
        var open: [Stretch] = []
        /// The first of their stretches.
        let first: Int
        /// What entries say whose key is not there, until one follows that vouches for them.
        var unsealed = KeyWindows.Traces()
        var sealedSeq: UInt64 = 0
    }

    /// Frames of which links lead to HEAD's tip.
    private mutating func find(_ path: ProvenPath) throws(StorageError) {
        let proven = path.stretches(behind: prefix.end)
        guard !proven.isEmpty else { return }
        let reader = try SegmentReader(view.storage)
        let finder = FrameFinder(ledger: ledger, keys: view.keyring.keys, takesAbsentKeys: true)
        var reading = Reading(first: stretches.count)
        runs.append(([], 0))
        for stretch in proven {
            let segment = stretch.start.segment
            try reader.find(finder, in: segment, from: stretch.start.offset, upTo: stretch.end) { frame, bytes, start in
                let place = Place(segment: segment, offset: start + frame.frame.lowerBound, seq: frame.seq)
                if frame.version > 1 { holdsLaterVersion = true }
                runs[runs.count - 1].count += 1
                take(frame, bytes, at: place, isProven: true, isSealed: true, &reading)
                return true
            }
        }
        close(&reading)
    }

    private mutating func find(_ run: Survey.Run, besides path: ProvenPath) throws(StorageError) {
        // The prefix's own run may go on a little: with the beginning of a decision that is not whole.
        let isPrefix = prefix.seq >= view.firstSeq && run.start.segment == view.firstSeq && run.start.offset == 0
        if isPrefix, run.tip.seq == prefix.seq { return }
        let start = isPrefix ? prefix.end : run.start
        var reader = try SegmentReader(view.storage)
        var verifier = verifier(at: start)
        var left = isPrefix ? run.tip.seq - prefix.seq : run.entryCount
        var reading = Reading(first: stretches.count)
        runs.append(([], run.entryCount))
        // One segment after the other: a view does not say where it stands.
        for segment in reader.segments where segment >= start.segment && left > 0 {
            var place = Place(segment: segment, offset: segment == start.segment ? start.offset : 0, seq: 0)
            let size = try reader.open(segment: segment).status().size
            _ = try reader.scan(
                &verifier, upTo: Place(segment: segment, offset: size, seq: 0),
                visit: { frame, bytes in
                    place.seq = frame.seq
                    if !path.holds(place) {
                        let isSealed = view.keyring.keys[frame.key(in: bytes)] != nil
                        // Behind HEAD's tip.
                        let isProven = run.holdsHead && head != nil
                        take(frame, bytes, at: place, isProven: isProven, isSealed: isSealed, &reading)
                    }
                    place.offset += frame.frame.count
                    left -= 1
                    return left > 0
                })
        }
        close(&reading)
    }

    /// - Parameter isSealed: whether its seal was checked, or links prove it.
    private mutating func take(
        _ frame: FrameView, _ bytes: Span<UInt8>, at place: Place, isProven: Bool, isSealed: Bool, _ reading: inout Reading
    ) {
        frameCount += 1
        let key = frame.key(in: bytes)
        if isSealed {
            runs[runs.count - 1].keys.insert(key)
            traces.add(&reading.unsealed)
            traces.note(frame, bytes)
            reading.sealedSeq = frame.seq
            if frame.seq == vouched?.seq, frame.hash(in: bytes) == vouched?.tip, ChainTip(frame, of: bytes).key != vouched?.key {
                contradictsHeadKey = true
            }
        } else {
            reading.unsealed.note(frame, bytes)
        }
        let earlier = Readmission(frame, of: bytes)
        let own = earlier?.entry.seq ?? frame.seq
        let one = Stretch(
            start: place, end: place.offset + frame.frame.count, key: key, seqs: own...own, isProven: isProven,
            run: runs.count - 1,
            isSealed: isSealed)
        if isSealed {
            if note(RosterStatement(frame, bytes), of: frame, bytes, isProven) { lastStatedSeq = max(lastStatedSeq, frame.seq) }
            noteFounders(frame, bytes, isProven)
            if bytes.isSigned(frame) { signers.insert(bytes.text(frame.actor)) }
            // What an earlier repair re-admitted tells it too.
            if let earlier, !planted(.readmittedRosterForgotten) {
                let inner = earlier.frame.span
                _ = note(RosterStatement(earlier.view, inner), of: earlier.view, inner, isProven && earlier.isProven)
                noteFounders(earlier.view, inner, isProven && earlier.isProven)
                if inner.isSigned(earlier.view) { signers.insert(inner.text(earlier.view.actor)) }
            }
        }
        guard let part = frame.part else { return add(one, isWhole: true, behind: reading.first) }
        // A decision without its beginning or its end never was one.
        reading.open.append(one)
        guard part.isLast else { return }
        let isWhole = reading.open.count == part.count
        for one in reading.open { add(one, isWhole: isWhole, behind: reading.first) }
        reading.open = []
    }

    /// - Returns: whether it says who is enrolled, or who signs for the house.
    private mutating func note(
        _ statement: RosterStatement?, of frame: FrameView, _ bytes: Span<UInt8>, _ isProven: Bool
    ) -> Bool {
        let hash = frame.hash(in: bytes)
        guard let statement, statement.roster.ends(before: frame.seq), let roster = statement.after(frame.seq, hash) else {
            return false
        }
        statedActors.append((roster, isProven))
        associateTraces.stated += [statement.roster, roster].compactMap(\.associates)
        if case .act(let request) = statement.change { associateTraces.acts.append((.init(seq: frame.seq, hash: hash), request)) }
        return true
    }

    /// The first entry says who the associates are, or that there are none.
    private mutating func noteFounders(_ frame: FrameView, _ bytes: Span<UInt8>, _ isProven: Bool) {
        guard frame.seq == 1, bytes.text(frame.action) == "ledger.genesis" else { return }
        var roster = ActorRoster()
        roster.associates = try? Associates.founders(frame, bytes)
        statedActors.append((roster, isProven))
        if let founders = roster.associates { associateTraces.stated.append(founders) }
    }

    private mutating func close(_ reading: inout Reading) {
        for one in reading.open { add(one, isWhole: false, behind: reading.first) }
        for index in stretches.indices.dropFirst(reading.first) where stretches[index].start.seq <= reading.sealedSeq {
            stretches[index].isSealed = true
        }
    }

    private mutating func add(_ one: Stretch, isWhole: Bool, behind first: Int) {
        var one = one
        one.isProven = (one.isProven && isWhole) || planted(.everythingProven)
        if stretches.count > first, let before = stretches.last, before.start.segment == one.start.segment,
            before.end == one.start.offset, before.seqs.upperBound + 1 == one.seqs.lowerBound,
            before.start.seq + UInt64(before.seqs.count) == one.start.seq, before.key == one.key, before.isProven == one.isProven
        {
            stretches[stretches.count - 1].seqs = before.seqs.lowerBound...one.seqs.upperBound
            stretches[stretches.count - 1].end = one.end
        } else {
            stretches.append(one)
        }
    }
}

// Which of them count
extension Salvage {
    /// What stands behind the prefix under a key that the chain can have called for there.
    private mutating func candidates() -> [Piece] {
        var candidates: [Piece] = []
        for var stretch in stretches {
            if !windows.isHeadBelieved { stretch.isProven = false }
            // What has a seq of the prefix is a copy, or was given up by an earlier repair.
            guard let behind = stretch.own(prefix.seq + 1...Limits.seq) else { continue }
            guard stretch.isSealed else {
                keylessCounts[stretch.key, default: 0] += UInt64(behind.count)
                continue
            }
            let ranges = stretch.isProven ? [0...Limits.seq] : windows.ranges(of: stretch.key)
            let counting = ranges.compactMap(stretch.own)
            let foreignCount = behind.count - min(behind.count, counting.reduce(0) { $0 + $1.count })
            if foreignCount > 0 { foreignCounts[stretch.key, default: 0] += UInt64(foreignCount) }
            for seqs in counting {
                candidates.append(Piece(stretch: stretch, seqs: seqs))
                let seq = stretch.start.seq + (seqs.upperBound - stretch.seqs.lowerBound)
                if seq > last?.seq ?? 0 { last = (seq, windows.key(behind: seq, sealedWith: stretch.key)) }
            }
        }
        if let key = windows.lastKey { last = (last?.seq ?? 0, key) }
        return candidates
    }

    /// Of several frames with one seq a proven one counts, else one under the newer key, else one that leads to a newer key, which whoever
    /// has an old one cannot forge, else one that more entries are linked with, and else the first.
    private mutating func choose(_ candidates: [Piece]) {
        let order = candidates.indices.sorted {
            let (one, other) = (candidates[$0].stretch, candidates[$1].stretch)
            if one.isProven != other.isProven { return one.isProven }
            let (rank, otherRank) = (windows.rank(of: one.key), windows.rank(of: other.key))
            if rank != otherRank { return rank > otherRank }
            let (newest, otherNewest) = (newestRank(of: one.run), newestRank(of: other.run))
            if newest != otherNewest { return newest > otherNewest }
            let (count, otherCount) = (runs[one.run].count, runs[other.run].count)
            return count != otherCount ? count > otherCount : $0 < $1
        }
        var taken = prefix.taken
        for piece in order.map({ candidates[$0] }) {
            var free = [piece.seqs]
            for range in taken { free = free.flatMap { $0.without(range) } }
            if planted(.doublesReadmitted) { free = [piece.seqs] }
            taken += free
            pieces += free.map { Piece(stretch: piece.stretch, seqs: $0) }
        }
        pieces.sort { $0.seqs.lowerBound < $1.seqs.lowerBound }
    }
}

extension Salvage {
    private func newestRank(of run: Int) -> Int { runs[run].keys.map(windows.rank).max() ?? .min }
}

extension ClosedRange<UInt64> {
    /// What of it does not lie in another range.
    fileprivate func without(_ other: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
        guard overlaps(other) else { return [self] }
        var rest: [ClosedRange<UInt64>] = []
        if lowerBound < other.lowerBound { rest.append(lowerBound...other.lowerBound - 1) }
        if upperBound > other.upperBound { rest.append(other.upperBound + 1...upperBound) }
        return rest
    }
}
