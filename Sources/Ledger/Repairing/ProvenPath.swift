import DurableFiles
import LedgerFormat
import PlantedDefects

/// The frames from which links lead to HEAD's tip: it is the HASH of one, whose `prev_hash` is that of another, and so on.
///
/// That proves them, whatever keys have sealed them, and whether these are there or not. Whoever can write the directory can put frames
/// anywhere, also such as name a true one for the one before them; but no true one names his.
struct ProvenPath: Sendable {
    /// Frames that stand one behind the other in a segment, each linked with the one before.
    struct Stretch: Sendable, Equatable {
        /// With the seq of the first.
        var start: Place
        /// Behind the last, in bytes from the segment's start.
        var end: Int
        var lastSeq: UInt64

        /// Whether no frame of it stands at or behind a place.
        func ends(before place: Place) -> Bool { (start.segment, end) <= (place.segment, place.offset) }
    }

    /// In the order of the chain.
    private(set) var stretches: [Stretch] = []
    /// Links lead back to the first entry of all, or of what an archive has left.
    private(set) var isWhole = false
    /// In the order in which they stand.
    private var standing: [Stretch] = []

    /// Nothing is proven.
    init() {}

    /// Reads the ledger twice: for where links break, and for the frames that are called for there. Only these are kept.
    ///
    /// - Parameter head: one whose MAC was checked.
    init(to head: Head, _ view: LedgerView, of ledger: LedgerID) throws(StorageError) {
        let reader = try SegmentReader(view.storage)
        let finder = FrameFinder(ledger: ledger, keys: view.keyring.keys, takesAbsentKeys: true)
        var runs: [Run] = []
        try reader.findAll(finder) { frame, bytes, place in
            let link = frame.previousHash(in: bytes)
            if let last = runs.last, last.start.segment == place.segment, last.end == place.offset,
                last.hash == link || planted(.pathUnlinked)
            {
                runs[runs.count - 1].end += frame.frame.count
            } else {
                runs.append(Run(start: place, link: link, end: place.offset + frame.frame.count, hash: .zero))
            }
            runs[runs.count - 1].hash = frame.hash(in: bytes)
        }
        let wanted = Set(runs.map(\.link) + [head.tip])
        var found: [Digest: (run: Int, end: Int, seq: UInt64)] = [:]
        var run = 0
        try reader.findAll(finder) { frame, bytes, place in
            while run + 1 < runs.count, !place.stands(before: runs[run + 1].start) { run += 1 }
            let hash = frame.hash(in: bytes)
            guard wanted.contains(hash), found[hash] == nil else { return }
            found[hash] = (run, place.offset + frame.frame.count, place.seq)
        }
        follow(head.tip, runs, found, firstSeq: view.firstSeq)
    }

    /// Frames that stand one behind the other, linked; what the first one names, and the last one's HASH.
    private struct Run {
        var start: Place
        var link: Digest
        var end: Int
        var hash: Digest
    }

    private mutating func follow(
        _ tip: Digest, _ runs: [Run], _ found: [Digest: (run: Int, end: Int, seq: UInt64)], firstSeq: UInt64
    ) {
        var link = tip
        var seq = UInt64.max
        // Seqs fall with every step, so that it ends, whatever stands there.
        while let frame = found[link], frame.seq < seq {
            let run = runs[frame.run]
            stretches.append(Stretch(start: run.start, end: frame.end, lastSeq: frame.seq))
            link = run.link
            seq = min(frame.seq, run.start.seq)
        }
        // What lies before a ledger's first entry was archived.
        isWhole = !stretches.isEmpty && (link == .zero || firstSeq > 1 && seq == firstSeq)
        stretches.reverse()
        standing = stretches.sorted { $0.start.stands(before: $1.start) }
    }

    /// Whether a frame that starts at a place is proven.
    func holds(_ place: Place) -> Bool {
        var (low, high) = (0, standing.count)
        while low < high {
            let middle = low + (high - low) / 2
            if place.stands(before: standing[middle].start) { high = middle } else { low = middle + 1 }
        }
        guard low > 0 else { return false }
        return standing[low - 1].start.segment == place.segment && place.offset < standing[low - 1].end
    }

    /// The stretches behind a verified prefix; of one that begins before its end, what lies behind it.
    func stretches(behind end: Place) -> [Stretch] {
        stretches.filter { !$0.ends(before: end) }.map { stretch in
            var stretch = stretch
            if stretch.start.stands(before: end) { stretch.start = end }
            return stretch
        }
    }

    /// What of a damaged range does not hold proven frames, in which a search by seals finds nothing; one of no bytes, if all of it does.
    func rest(of damage: Survey.Damage) -> [Survey.Damage] {
        let end = damage.start.offset + damage.byteCount
        var start = damage.start
        var rest: [Survey.Damage] = []
        func add(upTo end: Int, _ next: Place?) {
            guard start.offset < end else { return }
            rest.append(.init(start: start, next: next, byteCount: end - start.offset, reason: damage.reason))
        }
        for stretch in standing
        where stretch.start.segment == start.segment && stretch.end > start.offset && stretch.start.offset < end {
            add(upTo: stretch.start.offset, stretch.start)
            start = Place(segment: start.segment, offset: stretch.end, seq: stretch.lastSeq + 1)
        }
        add(upTo: end, damage.next)
        return rest.isEmpty ? [.init(start: damage.start, next: damage.next, byteCount: 0, reason: damage.reason)] : rest
    }

    /// The last entry of a verified prefix that is on the path; 0 for none.
    func lastSeq(in prefix: RepairPlan.Prefix) -> UInt64 {
        guard let shared = stretches.last(where: { $0.start.stands(before: prefix.end) }) else { return 0 }
        return min(shared.lastSeq, prefix.seq)
    }

    /// The last entry of a verified prefix that is on the path, where that leaves it before its end: 0 for none; nil where it does not,
    /// or nothing is known.
    func fork(from prefix: RepairPlan.Prefix) -> UInt64? {
        guard let last = stretches.last, !last.ends(before: prefix.end) else { return nil }
        let seq = lastSeq(in: prefix)
        // What a proven entry names as the one before it, and is lost, is not what the prefix has in its place.
        if seq == 0, !isWhole, let first = stretches.first?.start.seq, first > 1, first <= prefix.seq + 1 { return first - 2 }
        return seq < prefix.seq && (isWhole || seq > 0) ? seq : nil
    }
}

extension SegmentReader {
    /// Shows the frames of all segments that a finder takes for sound.
    fileprivate func findAll(_ finder: FrameFinder, visit: (FrameView, Span<UInt8>, Place) -> Void) throws(StorageError) {
        for segment in segments {
            try find(finder, in: segment) { frame, bytes, start in
                visit(frame, bytes, Place(segment: segment, offset: start + frame.frame.lowerBound, seq: frame.seq))
                return true
            }
        }
    }
}

extension Place {
    fileprivate func stands(before other: Place) -> Bool { (segment, offset) < (other.segment, other.offset) }
}
