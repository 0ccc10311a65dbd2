/// A directory's names, each with the slot of what it leads to: what is seen, what is durable, and what lies between.
struct CachedNames: Sendable {
    enum Change: Sendable {
        case add(String, slot: Int)
        case rename(String, to: String)
        case remove(String)
    }

    private(set) var current: [String: Int] = [:]
    private(set) var durable: [String: Int] = [:]
    private(set) var pending: [Change] = []

    init(durable: [String: Int] = [:]) {
        current = durable
        self.durable = durable
    }

    mutating func make(_ change: Change) {
        current.apply(change)
        pending.append(change)
    }

    /// Lets a name lead elsewhere, durably.
    mutating func set(_ name: String, slot: Int) {
        current[name] = slot
        durable[name] = slot
    }

    mutating func synchronize() {
        if pending.isEmpty { return }
        durable = current
        pending.removeAll(keepingCapacity: true)
    }

    /// What a power cut could leave: a directory's changes reach the disk in their order, as by a journal, up to some
    /// point; other directories' points are their own.
    func crashed(using generator: inout SeededGenerator, _ tally: inout CrashTally) -> [String: Int] {
        if pending.isEmpty { return durable }
        let kept = generator.below(pending.count + 1)
        tally.namesKept += kept
        tally.namesDropped += pending.count - kept
        if kept == pending.count { return current }
        var names = durable
        for change in pending.prefix(kept) { names.apply(change) }
        return names
    }
}

extension [String: Int] {
    fileprivate mutating func apply(_ change: CachedNames.Change) {
        switch change {
        case .add(let name, let slot): self[name] = slot
        case .rename(let name, let target): self[target] = removeValue(forKey: name)
        case .remove(let name): removeValue(forKey: name)
        }
    }
}
