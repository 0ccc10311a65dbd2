import LedgerFormat
import PlantedDefects

/// Which keys the chain can have called for behind a damaged ledger's prefix, and from which seq to which.
///
/// Whoever finds an old key can seal whatever he likes with it, also what stands where a newer key was called for; without this a repair
/// would take that over. What bounds a key is said by others than its holder: by the prefix, by HEAD, and by the entries that introduce
/// keys, each sealed with the old key and proven by the new one. In doubt a key is possible: what it sealed is shown, and proves nothing.
struct KeyWindows {
    /// What sound entries behind the prefix say of keys.
    struct Traces {
        struct Turn {
            var seq: UInt64
            var sealing: KeyID
            /// The key that is introduced, or retired.
            var key: KeyID
        }

        var introductions: [Turn] = []
        var retirements: [Turn] = []
        /// The lowest seq that a key has sealed.
        var firstSeqs: [KeyID: UInt64] = [:]

        mutating func note(_ frame: FrameView, _ bytes: Span<UInt8>) {
            let sealing = frame.key(in: bytes)
            firstSeqs[sealing] = min(frame.seq, firstSeqs[sealing] ?? .max)
            if let key = frame.introducedKey(in: bytes) { introductions.append(Turn(seq: frame.seq, sealing: sealing, key: key)) }
            if let key = frame.retiredKey(in: bytes) { retirements.append(Turn(seq: frame.seq, sealing: sealing, key: key)) }
        }

        /// Takes over what others say, and leaves them empty.
        mutating func add(_ other: inout Traces) {
            guard !other.firstSeqs.isEmpty else { return }
            introductions += other.introductions
            retirements += other.retirements
            firstSeqs.merge(other.firstSeqs) { min($0, $1) }
            other = Traces()
        }
    }

    /// A key that is called for behind this seq, whatever else is damaged.
    private struct Goal {
        var seq: UInt64
        var key: KeyID
        /// The lowest seq behind the prefix that this key has sealed, as far as is known.
        var firstSeq: UInt64
    }

    private let prefixSeq: UInt64
    private let start: KeyID?
    private let replaced: Set<KeyID>
    private let introductions: [Traces.Turn]
    private let retirements: [Traces.Turn]
    private let goal: Goal?
    /// The keys that lead from the prefix, or to the goal: older ones have a lower rank, and the goal's has 0.
    private var ranks: [KeyID: Int] = [:]
    /// Introductions lead from the prefix to the goal without a break: there was no other key.
    private var isWhole = false
    /// False for a HEAD under a key that was replaced before the entry that it vouches for.
    let isHeadBelieved: Bool

    /// - Parameter head: one that a key of ours proves; nil if there is none.
    init(behind prefix: RepairPlan.Prefix, head: Head?, _ traces: Traces) {
        prefixSeq = prefix.seq
        start = prefix.tip?.key
        replaced = prefix.replacedKeys
        let known = replaced.union([prefix.tip?.key].compactMap(\.self))
        introductions = traces.introductions
            .filter { $0.seq > prefix.seq && !prefix.replacedKeys.contains($0.sealing) && !known.contains($0.key) }
            .sorted { $0.seq < $1.seq }
        retirements = traces.retirements
        if let head, head.seq > prefix.seq {
            // By its own word a key was replaced, and the next one has proven itself in that entry.
            let isReplaced = introductions.contains { $0.sealing == head.key && $0.seq <= head.seq }
            isHeadBelieved = !prefix.replacedKeys.contains(head.key) && !isReplaced || planted(.keyWindowsIgnored)
        } else {
            isHeadBelieved = head != nil
        }
        if let head, isHeadBelieved, head.seq > prefix.seq {
            goal = Goal(seq: head.seq, key: head.key, firstSeq: traces.firstSeqs[head.key] ?? .max)
        } else if isHeadBelieved, let start {
            goal = Goal(seq: prefix.seq, key: start, firstSeq: prefix.seq + 1)
        } else {
            goal = nil
        }
        rank()
    }

    private mutating func rank() {
        if let goal {
            ranks[goal.key] = 0
            // Nobody but the holder of the newer key could prove it, so what leads to the goal is honest.
            while let turn = introductions.first(where: { $0.seq <= goal.seq && ranks[$0.key] != nil && ranks[$0.sealing] == nil }
            ) {
                ranks[turn.sealing] = (ranks[turn.key] ?? 0) - 1
            }
        }
        if let start {
            isWhole = ranks[start] != nil
            if isWhole {
                var reached: Set = [start]
                for turn in introductions where reached.contains(turn.sealing) { reached.insert(turn.key) }
                ranks = ranks.filter { reached.contains($0.key) }
            } else {
                ranks[start] = goal == nil ? 0 : .min
            }
        }
        for turn in introductions where turn.seq > goal?.seq ?? 0 && ranks[turn.key] == nil {
            if let rank = ranks[turn.sealing] ?? (goal == nil ? 0 : nil), rank >= 0 { ranks[turn.key] = rank + 1 }
        }
    }

    /// How late a key is in the chain; the lowest for one of which nothing is known.
    func rank(of key: KeyID) -> Int { ranks[key] ?? .min }

    /// The key to go on with, where HEAD proves one.
    var lastKey: KeyID? { goal == nil ? nil : ranks.max { $0.value < $1.value }?.key }

    /// Whether a sound entry introduces the key, or the prefix calls for it.
    func isIntroduced(_ key: KeyID) -> Bool { key == start || introductions.contains { $0.key == key } }

    /// The key that is called for behind an entry.
    func key(behind seq: UInt64, sealedWith key: KeyID) -> KeyID {
        introductions.first { $0.seq == seq && $0.sealing == key }?.key ?? key
    }

    /// Whether a sound entry says that all that the key has sealed was verified.
    func isRetired(_ key: KeyID) -> Bool {
        retirements.contains { $0.key == key && ranges(of: $0.sealing).contains { [seq = $0.seq] range in range.contains(seq) } }
    }

    /// The seqs behind the prefix that the key can have sealed.
    func ranges(of key: KeyID) -> [ClosedRange<UInt64>] {
        if planted(.keyWindowsIgnored) { return [0...Limits.seq] }
        guard !replaced.contains(key) else { return [] }
        let isKnown = ranks[key] != nil
        let turns = introductions.filter { goal == nil || !isKnown || ranks[$0.key] != nil && ranks[$0.sealing] != nil }
        let first = turns.first { $0.key == key }.map { $0.seq + 1 }
        let lower = key == start ? prefixSeq + 1 : first ?? prefixSeq + (start == nil ? 1 : 2)
        var upper = turns.last { $0.sealing == key }?.seq ?? Limits.seq
        // The prefix's key is the oldest behind it, and can retire none of these.
        for turn in retirements where turn.key == key && turn.sealing != start && rank(of: turn.sealing) > rank(of: key) {
            upper = min(upper, turn.seq - 1)
        }
        guard let goal else { return Self.range(lower, upper) }
        let older = Self.range(lower, min(upper, goal.seq, goal.firstSeq - 1))
        let newer = Self.range(max(lower, goal.seq + 2), upper)
        switch ranks[key] {
        case 0: return Self.range(lower, upper)
        case let rank?: return rank < 0 ? older : newer
        case nil: return isWhole ? newer : older + newer
        }
    }

    private static func range(_ first: UInt64, _ last: UInt64) -> [ClosedRange<UInt64>] { first <= last ? [first...last] : [] }
}
