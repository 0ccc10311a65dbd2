import CanonicalJSON
import DurableFiles
import Kernel
import Lanes
import Ledger
import LedgerFormat
import Synchronization
import TestSupport

/// A simulated machine whose clocks a test turns, and what agents do there.
struct LaneMachine: Sendable {
    let machine: SimulatedMachine
    let clock: Clock

    /// Both clocks; they move only when they are told to.
    final class Clock: Sendable {
        let state: Mutex<(wall: Int64, boot: String, sinceBoot: Int64)>

        init() { state = Mutex((1_769_860_800_000_000, "boot-1", 3_600_000_000)) }

        /// Time passes.
        func pass(_ microseconds: Int64) {
            state.withLock { state in
                state.wall += microseconds
                state.sinceBoot += microseconds
            }
        }

        /// Somebody sets the wall's clock.
        func step(_ microseconds: Int64) { state.withLock { $0.wall += microseconds } }

        /// The machine was off for so long.
        func reboot(_ name: String, off microseconds: Int64, sinceBoot: Int64 = 60_000_000) {
            state.withLock { state in
                state.wall += microseconds
                state.boot = name
                state.sinceBoot = sinceBoot
            }
        }
    }

    init(seed: UInt64 = 1) throws {
        let base = try SimulatedMachine(seed: seed)
        let clock = Clock()
        var environment = base.environment
        environment.now = { Timestamp(microseconds: clock.state.withLock { $0.wall }) }
        environment.bootTime = { clock.state.withLock { BootTime(boot: $0.boot, microseconds: $0.sinceBoot) } }
        machine = SimulatedMachine(base, base.disk, environment)
        self.clock = clock
    }

    var now: Instant { Instant(machine.environment) }

    func decider(snapshotInterval: UInt64 = 10_000) throws -> Decider {
        var decider = Decider(try machine.storage(), machine.environment, machine.settings)
        decider.snapshotInterval = snapshotInterval
        return decider
    }

    @discardableResult
    func decide<Reply>(
        _ rule: (Lanes, Moment) throws(LedgerError) -> Decision<Reply>
    ) throws(LedgerError) -> Decided<Reply> {
        guard var decider = try? decider(snapshotInterval: 20) else { preconditionFailure("the disk is whole") }
        return try decider.decide(on: Lanes.self, as: "process:test", rule)
    }

    func declare(_ lane: String?, _ declaration: LaneDeclaration? = LaneDeclaration(), _ settings: JSONObject = [:]) throws {
        try decide { lanes, moment throws(LedgerError) in
            try lanes.declare(lane.map { Label($0)! }, declaration, settings, "test", moment)
        }
    }

    /// What was granted, with its token; nil and the verdict if it was refused.
    func acquire(_ request: LaneRequest) throws(LedgerError) -> (lease: Lease?, verdict: Verdict) {
        let decided = try decide { lanes, moment throws(LedgerError) in try lanes.acquire(request, moment) }
        guard var lease = decided.reply.lease, let receipt = decided.receipts.last else { return (nil, decided.reply.verdict) }
        lease.token = receipt.seq
        return (lease, decided.reply.verdict)
    }

    func heartbeat(_ lease: Lease, at time: Timestamp? = nil, event: String? = nil) throws(LedgerError) {
        try decide { lanes, moment throws(LedgerError) in
            try lanes.heartbeat(lease.right, at: time, event: event, "host", moment)
        }
    }

    func release(_ lease: Lease) throws(LedgerError) {
        try decide { lanes, moment throws(LedgerError) in try lanes.release(lease.right, "test", "host", moment) }
    }

    /// Folded from the first entry.
    func lanes(_ end: FoldEnd = .tip) throws -> Lanes {
        var fold = Fold<Lanes>()
        try fold.advance(in: LedgerView(machine.storage()), to: end, machine.environment)
        return fold.state
    }
}

extension Lease {
    var right: LeaseRight { LeaseRight(id: id, token: token) }
}

extension LaneRequest {
    /// For ten minutes unless it is said.
    static func of(
        _ lane: String?, _ kind: LaneKind? = nil, tree: [String]? = nil, ttl: Int64 = 600_000_000, holder: String = "ada"
    ) throws -> LaneRequest {
        LaneRequest(
            lane: lane.map { Label($0)! }, kind: kind, tree: try tree.map { Tree(try $0.map { try Glob($0) }) }, ttl: ttl,
            holder: holder, reason: "test")
    }
}
