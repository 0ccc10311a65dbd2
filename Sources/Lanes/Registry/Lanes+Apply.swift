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
        case .acquire, .reconcile: set(body, token: fact.seq)
        case .release, .scavenge:
            if let id = named(by: body) { leases[id] = nil }
        case .heartbeat:
            if let id = named(by: body) { beat(id, body) }
        case .adopt:
            guard let id = named(by: body) else { return }
            if let holder = body["holder"]?.string { leases[id]?.holder = holder }
            if let host = body["host_id"]?.string { leases[id]?.host = host }
            if let process = HolderProcess(body) { leases[id]?.process = process }
            if body["renews_token"]?.bool == true, !planted(.tokenUnrenewed) { leases[id]?.token = fact.seq }
            beat(id, body)
        case .checkpoint: reset(body)
        case .spawn:
            if let spawn = Spawn(body) { spawns.put(spawn, for: spawn.lane, order: fact.position) }
        case .attempt:
            if let attempt = Attempt(body) { take(attempt, order: fact.position) }
            progress(body)
        case .enforce: progress(body)
        case .refuse, .halt: return
        }
    }

    /// The live lease that a body names by both its id and its token.
    private func named(by body: JSON) -> LeaseID? {
        guard let id = body["lease_id"]?.string.flatMap({ LeaseID($0) }), let lease = leases[id],
            body["token"]?.integer == Int64(exactly: lease.token)
        else { return nil }
        return id
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
    private mutating func set(_ body: JSON, token: UInt64) {
        guard let json = body["lease"], var lease = Lease(json, token: token) else { return }
        if let known = leases[lease.id] { lease.token = known.token }
        leases[lease.id] = lease
        spawns.remove(lease.lane)
    }

    private mutating func beat(_ id: LeaseID, _ body: JSON) {
        guard let instant = Instant(body["beat"]), let last = leases[id]?.beat else { return }
        // A late beat takes back none that came before it.
        if !last.isInBoot(of: instant) || last.boot.microseconds <= instant.boot.microseconds { leases[id]?.beat = instant }
        if body["event"]?.string != nil { leases[id]?.event = instant }
    }

    private mutating func progress(_ body: JSON) {
        guard let id = named(by: body), let instant = Instant(body["at"]) else { return }
        leases[id]?.event = instant
    }

    private mutating func take(_ attempt: Attempt, order: UInt64) {
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
