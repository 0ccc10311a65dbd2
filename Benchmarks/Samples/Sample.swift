import CanonicalJSON
import Lanes
import Ledger
import LedgerFormat

/// A kind of ledger: what its entries are, by their numbers from 0.
enum Sample: String, CaseIterable {
    /// A tree of 10,000 leaves, and changes of one leaf each.
    case documents
    /// Leases of 50 lanes that come and go.
    case lanes

    func draft(_ number: Int) throws -> Draft {
        switch self {
        case .documents: try documents(number)
        case .lanes: try lanes(number)
        }
    }

    private static let width = 100

    private func documents(_ number: Int) throws -> Draft {
        let operation: JSON =
            if number == 0 {
                ["op": "replace", "path": "", "value": Self.tree]
            } else {
                // A prime step goes through all leaves before one comes again.
                [
                    "op": "replace", "path": .string(Self.path(number &* 7919 % (Self.width * Self.width))),
                    "value": .number(Double(number)),
                ]
            }
        return try Draft(
            action: "state.patched", actor: "process:bench", justification: Justification(.integrity, "bench"),
            body: ["patch": [operation]], context: ["base": .number(Double(number + 1)), "writes": [operation["path"] ?? ""]])
    }

    private func lanes(_ number: Int) throws -> Draft {
        if number == 0 { return try lane("declare", ["open": true]) }
        let pair = (number - 1) / 2
        guard let lane = Label("lane\(pair % 50)"), let glob = try? Glob("src/lane\(pair % 50)") else {
            preconditionFailure("a bad name")
        }
        let id = LeaseID(UInt64(pair + 1))
        guard number % 2 == 1 else {
            // The seq of the entry before: entry 0 stands behind the ledger's first.
            return try self.lane("release", ["lease_id": .string(id.description), "token": .number(Double(number + 1))])
        }
        let now = Instant(.system)
        let lease = Lease(
            id: id, token: 0, lane: lane, kind: .cluster, tree: Tree([glob]), holder: "bench", ttl: 60_000_000,
            acquiredAt: now.time,
            beat: now)
        return try self.lane("acquire", ["lease": .object(lease.json)])
    }

    private func lane(_ operation: String, _ body: JSONObject) throws -> Draft {
        try Draft(
            action: "lane.\(operation)", actor: "process:bench", justification: Justification(.integrity, "bench"),
            body: .object(body))
    }

    private static func path(_ leaf: Int) -> String { "/group\(leaf / width)/leaf\(leaf % width)" }

    private static var tree: JSON {
        .object(
            JSONObject(
                (0..<width).map { group in
                    ("group\(group)", .object(JSONObject((0..<width).map { ("leaf\($0)", .number(Double(group * width + $0))) })))
                }))
    }
}
