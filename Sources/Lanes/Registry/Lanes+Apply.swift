import CanonicalJSON
package import Kernel
import Ledger
import LedgerFormat
import PlantedDefects

// Replay: what each entry makes of the state. What cannot be read, or is about no lease that is live, changes nothing.
extension Lanes {
    package mutating func apply(_ fact: Fact) {
        guard let operation = LaneOperation(action: fact.action) else { return }
        let body = fact.body
        switch operation {
        case .declare: declare(body)
        case .acquire, .reconcile: set(body, fact)
        case .forced: set(body, fact, isForced: true)
        case .release, .scavenge:
            if let id = named(by: body, fact) { leases[id] = nil }
        case .heartbeat:
            if let id = named(by: body, fact) { beat(id, body) }
        case .adopt:
            guard let id = named(by: body, fact) else { return }
            if let holder = body["holder"]?.string { leases[id]?.holder = holder }
            if let host = body["host_id"]?.string { leases[id]?.host = host }
            // The old holder's is gone, and would be evidence against the new one.
            let process = HolderProcess(body)
            if process != nil || !planted(.adoptionKeepsProcess) { leases[id]?.process = process }
            if body["renews_token"]?.bool == true, !planted(.tokenUnrenewed) { leases[id]?.token = fact.seq }
            beat(id, body)
        case .checkpoint: reset(body)
        case .spawn:
            if let spawn = Spawn(body) { spawns.put(spawn, for: spawn.lane, order: fact.position) }
        case .attempt:
            if let attempt = Attempt(body) { take(attempt, order: fact.position) }
            progress(body, fact)
        case .enforce: progress(body, fact)
        case .refuse, .halt: return
        }
    }

    /// The live lease that a body names by both its id and its token.
    ///
    /// Where a repair has lost entries, a higher token than ours proves that one of them renewed it: the old one is stale.
    private mutating func named(by body: JSON, _ fact: Fact) -> LeaseID? {
        guard let id = body["lease_id"]?.string.flatMap({ LeaseID($0) }), let lease = leases[id],
            let token = body["token"]?.integer.flatMap({ UInt64(exactly: $0) })
        else { return nil }
        if fact.isReadmitted, token > lease.token, token < fact.seq, !planted(.contradictionKept) {
            leases[id]?.token = token
            leases[id]?.process = nil
            return id
        }
        return token == lease.token ? id : nil
    }

    private mutating func declare(_ body: JSON) {
        settings.change(by: body)
        guard let lane = body["lane"]?.string.flatMap({ Label($0) }) else { return }
        if body["removed"]?.bool == true {
            declared[lane] = nil
        } else if let declaration = LaneDeclaration(body) {
            declared[lane] = declaration
        }
    }

    /// One that is live already keeps its token: it is said again, not granted again.
    private mutating func set(_ body: JSON, _ fact: Fact, isForced: Bool = false) {
        guard let json = body["lease"], var lease = Lease(json, token: fact.seq) else { return }
        if let known = leases[lease.id] {
            lease.token = known.token
        } else if fact.isReadmitted {
            dropContradicted(by: lease, isForced: isForced)
        }
        leases[lease.id] = lease
        spawns.remove(lease.lane)
    }

    /// For two trees of 64 patterns with wildcards each, several times over.
    private static let contradictionSteps = 200_000

    /// Drops what a grant proves to have been gone: its release or eviction was lost in a repair.
    ///
    /// Only grants that a repair re-admitted can contradict what is live here; all others were decided beside it.
    private mutating func dropContradicted(by lease: Lease, isForced: Bool) {
        guard !planted(.contradictionKept) else { return }
        let claim = Claim(lane: lease.lane, kind: lease.kind, tree: lease.tree)
        let tree = IndexedTree(claim.tree)
        for other in leases.values where other.token < lease.token {
            var effort = Effort(steps: Self.contradictionSteps)
            let verdict = Arbiter(live: [other]).judge(claim, tree, &effort)
            // What was not compared to the end proves nothing, nor what associates have let pass.
            if verdict.outcome == .refuse, verdict.reasonClass != .treeIntricate, !(isForced && verdict.isPassable) {
                leases[other.id] = nil
            }
        }
    }

    private mutating func beat(_ id: LeaseID, _ body: JSON) {
        guard let instant = Instant(body["beat"]), let last = leases[id]?.beat else { return }
        // A late beat takes back none that came before it, and a late event no event.
        if instant.isNoEarlier(than: last) { leases[id]?.beat = instant }
        if body["event"]?.string != nil { happen(id, instant) }
    }

    private mutating func progress(_ body: JSON, _ fact: Fact) {
        guard let id = named(by: body, fact), let instant = Instant(body["at"]) else { return }
        happen(id, instant)
    }

    private mutating func happen(_ id: LeaseID, _ instant: Instant) {
        guard let last = leases[id]?.event, instant.isNoEarlier(than: last) || planted(.lateEventBelieved) else { return }
        leases[id]?.event = instant
    }

    private mutating func take(_ attempt: Attempt, order: UInt64) {
        // What is shipped need not rest, and would take the place of what must.
        guard attempt.outcome != .shipped || planted(.shippedKept) else {
            units.remove(attempt.unit)
            if let lane = attempt.lane { picks.remove(lane) }
            return
        }
        units.put(attempt, for: attempt.unit, order: order)
        if let lane = attempt.lane { picks.put(attempt, for: lane, order: order) }
    }

    private mutating func reset(_ body: JSON) {
        guard let items = body["leases"]?.array else { return }
        leases = [:]
        for item in items {
            guard let token = item["token"]?.integer.flatMap({ UInt64(exactly: $0) }), let lease = Lease(item, token: token)
            else { continue }
            leases[lease.id] = lease
        }
    }
}

extension Fact {
    /// Whether a repair took it over from behind a place where entries are lost.
    fileprivate var isReadmitted: Bool { position != seq }
}
