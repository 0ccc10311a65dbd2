import CanonicalJSON
import Lanes
import LedgerFormat

/// What is known of lanes at one moment, a row for each lease, for each lane that is about to be taken, is free or rests.
struct LaneTable {
    struct Row: Equatable {
        var lane: String
        var state: String
        var holder = ""
        var token = ""
        var age = ""
        var beat = ""
        var rest = ""
        var tree = ""
        var isBad = false
    }

    let rows: [Row]
    private let lanes: Lanes
    /// Who is about to take a lane that is not held.
    private let spawns: [Spawn]
    private let now: Instant

    init(_ lanes: Lanes, at now: Instant) {
        self.lanes = lanes
        self.now = now
        let leases = lanes.ordered.sorted { ($0.lane, $0.token) < ($1.lane, $1.token) }
        let held = Set(leases.map(\.lane))
        let spawns = lanes.spawning.filter { $0.isPending(at: now) && !held.contains($0.lane) }
        self.spawns = spawns
        let rests = lanes.attempts.filter { $0.rest(lanes.settings, at: now) != nil }
        let free = lanes.declared.keys.filter { lane in !held.contains(lane) && !spawns.contains { $0.lane == lane } }.sorted()
        rows =
            leases.map { Self.row($0, lanes.settings, now) }
            + spawns.map {
                Row(lane: $0.lane.text, state: "SPAWNING", holder: $0.holder, age: Self.ago($0.at, now))
            }
            + free.map { Row(lane: $0.text, state: "free", tree: lanes.declared[$0]?.tree.description ?? "") }
            + rests.map { attempt in
                Row(
                    lane: attempt.lane?.text ?? "", state: "resting", holder: "\(attempt.unit) (\(attempt.outcome.rawValue))",
                    age: Self.ago(attempt.at, now), rest: TimeSpan.text(attempt.rest(lanes.settings, at: now) ?? 0))
            }
    }

    private static func row(_ lease: Lease, _ settings: LaneSettings, _ now: Instant) -> Row {
        let standing = lease.standing(settings, at: now)
        let state =
            switch standing {
            case .current: lease.liveness(settings, at: now).rawValue
            case .grace: "GRACE"
            case .expired: "EXPIRED"
            }
        return Row(
            lane: lease.lane.text, state: state, holder: lease.holder, token: String(lease.token),
            age: TimeSpan.text(max(0, now.time.microseconds - lease.acquiredAt.microseconds)), beat: ago(lease.beat, now),
            rest: standing == .current ? TimeSpan.text(lease.rest(settings, at: now)) : "",
            tree: lease.kind == .cluster ? lease.tree.description : "(\(lease.kind.rawValue)) \(lease.tree)",
            isBad: standing != .current || lease.liveness(settings, at: now) == .stalled)
    }

    private static func ago(_ instant: Instant, _ now: Instant) -> String { TimeSpan.text(max(0, instant.age(at: now))) }

    /// - Parameter seq: the last entry that was folded.
    func json(_ seq: UInt64) -> JSONObject {
        let settings = lanes.settings
        return [
            "declared": .array(
                lanes.declared.sorted { $0.key < $1.key }.map { lane, declaration in
                    var object = declaration.json
                    object["lane"] = .string(lane.text)
                    return .object(object)
                }),
            "leases": .array(lanes.ordered.map { .object($0.shown(settings, at: now)) }),
            "resting": .array(
                lanes.attempts.compactMap { attempt -> JSON? in
                    guard let rest = attempt.rest(settings, at: now) else { return nil }
                    var object = attempt.json.object ?? [:]
                    object["rest_seconds"] = .number(Double(rest) / 1_000_000)
                    return .object(object)
                }),
            "seq": .number(Double(seq)), "settings": .object(settings.json),
            "spawning": .array(spawns.map(\.json)),
            "time": .string(now.time.description),
        ]
    }

    /// A plain table; without a width nothing is cut.
    func print(width: Int?) {
        let columns = LaneColumns(rows, width: width)
        if rows.isEmpty { return Output.line("no lane is declared or held") }
        Output.line(columns.heading)
        for row in rows { Output.line(columns.text(row)) }
    }
}
