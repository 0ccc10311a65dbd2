import DurableFiles
import LedgerFormat
import PlantedDefects

/// The sound frames behind a damaged ledger's prefix: each entry once, in the order of the seqs under which it was recorded.
///
/// An entry that an earlier repair took over counts under its own seq, not under that of the `ledger.readmitted` around it. So order is
/// restored where whole frames changed places, and also where a ledger that was repaired before is damaged again.
struct Salvage {
    /// Frames that stand one behind the other, sealed with one key, and whose own seqs follow each other too.
    private struct Stretch {
        /// With the seq of the first frame; its own may be another.
        var start: Place
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
    /// An entry calls for another key than HEAD, which vouches for it, names.
    private(set) var contradictsHeadKey = false

    /// Reads all of them once; only where they stand is kept.
    ///
    /// - Parameter head: a valid one.
    init(_ view: LedgerView, _ survey: Survey, of ledger: LedgerID, behind prefix: RepairPlan.Prefix, head: Head?)
        throws(StorageError)
    {
        self.view = view
        self.ledger = ledger
        self.prefix = prefix
        // Only a HEAD whose MAC was checked proves anything.
        self.head = head.flatMap { view.keyring.keys[$0.key] == nil ? nil : $0 }
        windows = KeyWindows(behind: prefix, head: self.head, traces)
        for run in survey.runs { try find(run, head) }
        windows = KeyWindows(behind: prefix, head: self.head, traces)
        choose(candidates())
    }

    /// Shows what is taken over; the view refers to the bytes that come with it. A nil draft is nested too deeply.
    func walk(_ visit: (_ draft: Draft?, _ isProven: Bool, FrameView, Span<UInt8>) -> Void) throws(StorageError) {
        for piece in pieces {
            var reader = try SegmentReader(view.storage)
            var verifier = verifier(at: piece.stretch.start)
            var seq = piece.stretch.seqs.lowerBound
            _ = try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    if piece.seqs.contains(seq) {
                        let found = Readmission.draft(of: frame, in: bytes, isProven: piece.stretch.isProven)
                        visit(found?.draft, found?.isProven ?? false, frame, bytes)
                    }
                    seq += 1
                    return seq <= piece.seqs.upperBound
                })
        }
    }

    private func verifier(at place: Place) -> ChainVerifier {
        ChainVerifier(at: place, of: ledger, key: nil, keys: view.keyring.keys)
    }
}

// Where they stand
extension Salvage {
    private mutating func find(_ run: Survey.Run, _ vouched: Head?) throws(StorageError) {
        // The prefix's own run may go on a little: with the beginning of a decision that is not whole.
        let isPrefix = prefix.seq >= view.firstSeq && run.start.segment == view.firstSeq && run.start.offset == 0
        if isPrefix, run.tip.seq == prefix.seq { return }
        let start = isPrefix ? prefix.end : run.start
        var reader = try SegmentReader(view.storage)
        var verifier = verifier(at: start)
        var left = isPrefix ? run.tip.seq - prefix.seq : run.entryCount
        // Entries of a decision, until all of them are there.
        var open: [Stretch] = []
        let first = stretches.count
        runs.append(([], run.entryCount))
        // What entries say whose key is not there, until one follows that vouches for them.
        var unsealed = KeyWindows.Traces()
        var sealedSeq: UInt64 = 0
        // One segment after the other: a view does not say where it stands.
        for segment in reader.segments where segment >= start.segment && left > 0 {
            var place = Place(segment: segment, offset: segment == start.segment ? start.offset : 0, seq: 0)
            let size = try reader.open(segment: segment).status().size
            _ = try reader.scan(
                &verifier, upTo: Place(segment: segment, offset: size, seq: 0),
                visit: { frame, bytes in
                    place.seq = frame.seq
                    frameCount += 1
                    let key = frame.key(in: bytes)
                    let isSealed = view.keyring.keys[key] != nil
                    if isSealed { runs[runs.count - 1].keys.insert(key) }
                    if !isSealed {
                        unsealed.note(frame, bytes)
                    } else {
                        traces.add(&unsealed)
                        traces.note(frame, bytes)
                        sealedSeq = frame.seq
                        if frame.seq == vouched?.seq, frame.hash(in: bytes) == vouched?.tip,
                            ChainTip(frame, of: bytes).key != vouched?.key
                        {
                            contradictsHeadKey = true
                        }
                    }
                    let own = Readmission(frame, of: bytes)?.entry.seq ?? frame.seq
                    let isProven = run.holdsHead && head != nil
                    let one = Stretch(
                        start: place, key: key, seqs: own...own, isProven: isProven, run: runs.count - 1, isSealed: isSealed)
                    place.offset += frame.frame.count
                    if let part = frame.part {
                        // A decision without its beginning or its end never was one.
                        open.append(one)
                        if part.isLast {
                            let isWhole = open.count == part.count
                            for one in open { add(one, isWhole: isWhole, behind: first) }
                            open = []
                        }
                    } else {
                        add(one, isWhole: true, behind: first)
                    }
                    left -= 1
                    return left > 0
                })
        }
        for one in open { add(one, isWhole: false, behind: first) }
        for index in stretches.indices.dropFirst(first) where stretches[index].start.seq <= sealedSeq {
            stretches[index].isSealed = true
        }
    }

    private mutating func add(_ one: Stretch, isWhole: Bool, behind first: Int) {
        var one = one
        one.isProven = (one.isProven && isWhole) || planted(.everythingProven)
        if stretches.count > first, let before = stretches.last, before.seqs.upperBound + 1 == one.seqs.lowerBound,
            before.start.seq + UInt64(before.seqs.count) == one.start.seq, before.key == one.key, before.isProven == one.isProven
        {
            stretches[stretches.count - 1].seqs = before.seqs.lowerBound...one.seqs.upperBound
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
