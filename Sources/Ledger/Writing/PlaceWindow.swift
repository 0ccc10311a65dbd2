import CanonicalJSON
import LedgerFormat

/// What the last entries say of places.
struct PlaceWindow: Sendable {
    /// All behind this one are known.
    private(set) var base: UInt64
    /// In their order.
    private var entries: [PlacedEntry] = []
    /// Their places, by their indices: a block of drafts that had seen nothing would look at each entry again and again.
    private var tree = PlaceTree()
    /// Seqs that no entry has: a repair has left them out.
    private var gaps: [Range<UInt64>] = []
    private var lastPassed: UInt64

    /// - Parameter firstSeq: the first entry that the ledger has; what was archived is no gap.
    init(behind base: UInt64, firstSeq: UInt64) {
        self.base = base
        lastPassed = max(base, firstSeq) - 1
    }

    /// Knows of an entry on the disk, in their order; the first one is that at the base.
    mutating func pass(_ seq: UInt64) {
        if seq > lastPassed + 1 { gaps.append(lastPassed + 1..<seq) }
        lastPassed = seq
    }

    /// Whether nothing stands where somebody has seen an entry.
    func isDisplaced(_ seq: UInt64) -> Bool { gaps.contains { $0.contains(seq) } }

    mutating func insert(_ entry: PlacedEntry) {
        guard entry.position > max(base, entries.last?.position ?? 0) else { return }
        for place in entry.places { tree.insert(place, as: entries.count) }
        entries.append(entry)
    }

    /// What follows an entry and says something of a draft's places, in their order.
    func entries(behind seq: UInt64, meeting draft: PlacedEntry) -> [PlacedEntry] {
        let first = index(behind: seq)
        var found: Set<Int> = []
        for place in draft.places { found.formUnion(tree.meeting(place)) }
        return found.filter { $0 >= first }.sorted().map { entries[$0] }
    }

    /// Of the first entry behind a seq.
    private func index(behind seq: UInt64) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].position > seq { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Forgets what no draft may be compared with any more, when it is as much again as what one may.
    mutating func advance(to tip: UInt64) {
        let distance = WriterSession.unseenCountMax
        guard tip > base, tip - base > 2 * distance else { return }
        var window = PlaceWindow(behind: tip - distance, firstSeq: 1)
        window.gaps = gaps.filter { $0.upperBound > window.base }
        for entry in entries[index(behind: window.base)...] { window.insert(entry) }
        self = window
    }
}
