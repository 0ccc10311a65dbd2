import LedgerFormat

/// What the last entries say of places.
struct PlaceWindow: Sendable {
    /// All behind this one are known.
    private(set) var base: UInt64
    /// In their order.
    private var entries: [PlacedEntry] = []

    init(behind base: UInt64) { self.base = base }

    mutating func insert(_ entry: PlacedEntry) {
        guard entry.position > max(base, entries.last?.position ?? 0) else { return }
        entries.append(entry)
    }

    /// What follows an entry.
    func entries(behind seq: UInt64) -> ArraySlice<PlacedEntry> {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].position > seq { high = middle } else { low = middle + 1 }
        }
        return entries[low...]
    }

    /// Forgets what no draft may be compared with any more, when it is as much again as what one may.
    mutating func advance(to tip: UInt64) {
        let distance = WriterSession.unseenCountMax
        guard tip > base, tip - base > 2 * distance else { return }
        base = tip - distance
        entries = Array(entries(behind: base))
    }
}
