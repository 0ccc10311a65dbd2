/// Many claims, judged one after the other beside what lives and what was granted before them.
///
/// The verdicts are the arbiter's, who is told only of the leases that can stand against a claim: they are found by lane, class and
/// pattern, so that a claim does not cost more where more leases are live.
package struct Fleet: Sendable {
    private let claims: [Claim?]
    private let budgets: [Label: Int]
    /// First those that live, the oldest first, and behind them one for each claim; nil until it is granted. The lower the number,
    /// the older.
    private var leases: [Lease?]
    private let liveCount: Int
    private var oldest: Int?
    private var oldestExclusive: Int?
    /// On each lane the oldest, and the oldest that is not shared.
    private var oldestHolders: [Label: Int] = [:]
    private var oldestStrangers: [Label: Int] = [:]
    private var oldestOfClass: [Label: Int] = [:]
    private var classCounts: [Label: Int] = [:]
    /// Of leases and claims, whether they are live yet or not. Two shared ones are in each other's way nowhere, and so are kept
    /// apart.
    private let shared: PatternIndex
    private let others: PatternIndex

    /// - Parameters:
    ///   - live: those that are not expired.
    ///   - claims: nil for what is not judged; their places are their numbers.
    package init(live: [Lease], claims: [Claim?], budgets: [Label: Int]) {
        let live = live.sorted { $0.token < $1.token }
        self.claims = claims
        self.budgets = budgets
        liveCount = live.count
        leases = live + Array(repeating: nil, count: claims.count)
        var patterns: (shared: [(owner: Int, glob: Glob)], others: [(owner: Int, glob: Glob)]) = ([], [])
        func add(_ tree: Tree, _ kind: LaneKind, _ owner: Int) {
            for glob in tree.effective {
                if kind == .shared { patterns.shared.append((owner, glob)) } else { patterns.others.append((owner, glob)) }
            }
        }
        for (number, lease) in live.enumerated() { add(lease.tree, lease.kind, number) }
        for (number, claim) in claims.enumerated() {
            if let claim { add(claim.tree, claim.kind, live.count + number) }
        }
        (shared, others) = (PatternIndex(patterns.shared), PatternIndex(patterns.others))
        for (number, lease) in live.enumerated() { note(lease, number) }
    }

    /// Grants a claim: the lease stands beside those that live from now on.
    package mutating func add(_ lease: Lease, for claim: Int) {
        leases[liveCount + claim] = lease
        note(lease, liveCount + claim)
    }

    private mutating func note(_ lease: Lease, _ number: Int) {
        func lower(_ known: inout Int?) { known = min(known ?? number, number) }
        lower(&oldest)
        if lease.kind == .exclusive { lower(&oldestExclusive) }
        lower(&oldestHolders[lease.lane])
        if lease.kind != .shared { lower(&oldestStrangers[lease.lane]) }
        guard let laneClass = lease.laneClass else { return }
        lower(&oldestOfClass[laneClass])
        classCounts[laneClass, default: 0] += 1
    }

    /// What the arbiter says to a claim.
    package func judge(_ number: Int, _ effort: inout Effort) -> Verdict {
        guard let claim = claims[number] else { preconditionFailure("what is no claim is not judged") }
        var near = meeting(claim)
        for number in [
            oldest, oldestExclusive, oldestHolders[claim.lane], oldestStrangers[claim.lane],
            claim.laneClass.flatMap { oldestOfClass[$0] },
        ] {
            if let number { near.insert(number) }
        }
        return Arbiter(live: near.compactMap { leases[$0] }, budgets: budgets, classCounts: classCounts).judge(claim, &effort)
    }

    /// The oldest that meets its tree for certain, and the older ones that may.
    private func meeting(_ claim: Claim) -> Set<Int> {
        var certain: Int?
        var open: Set<Int> = []
        for glob in claim.tree.effective {
            for index in claim.kind == .shared ? [others] : [others, shared] {
                index.neighbours(of: glob) { neighbour in
                    guard leases[neighbour.owner] != nil, neighbour.owner < certain ?? .max else { return false }
                    if neighbour.commonCount == nil { certain = neighbour.owner } else { open.insert(neighbour.owner) }
                    return false
                }
            }
        }
        if let certain {
            open = open.filter { $0 < certain }
            open.insert(certain)
        }
        return open
    }
}
