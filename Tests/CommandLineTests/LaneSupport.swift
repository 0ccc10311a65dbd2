import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// A lease as `lane acquire --json` printed it.
struct GrantedLease {
    let id: String
    let token: Int
    let json: JSON

    var right: [String] { ["--lease", id, "--token", String(token)] }
}

extension CommandLedger {
    /// A ledger with these lanes declared: name, and what `declare` is told.
    init(lanes: [(String, [String])], settings: [String] = []) throws {
        try self.init()
        for (name, arguments) in lanes { try lane(["declare", name] + arguments) }
        if !settings.isEmpty { try lane(["declare"] + settings) }
    }

    /// Runs a verb that must do what it is asked.
    @discardableResult
    func lane(_ arguments: [String], as actor: String = "user:ada") throws -> Program.Result {
        let result = try run(["lane"] + arguments + ["--actor", actor])
        try #require(result.code == 0, "\(arguments): \(result)")
        return result
    }

    func acquire(_ arguments: String..., as actor: String = "process:a") throws -> GrantedLease {
        let granted = try lane(["acquire"] + arguments + ["--json"], as: actor)
        let json = try JSON(parsing: Array(granted.lastLine.utf8))
        return GrantedLease(
            id: try #require(json["id"]?.string), token: Int(try #require(json["token"]?.integer)), json: json)
    }

    /// What the refusal says, which must be one.
    func refusal(_ arguments: String..., as actor: String = "process:b") throws -> JSON {
        let refused = try run(["lane", "acquire"] + arguments + ["--json", "--actor", actor])
        try #require(refused.code == 20, "\(arguments): \(refused)")
        return try JSON(parsing: Array(refused.lastLine.utf8))
    }

    func check(_ lease: GrantedLease) throws -> Int32 { try run(["lane", "check"] + lease.right).code }

    func heartbeat(_ lease: GrantedLease, _ more: String...) throws -> Program.Result {
        try run(["lane", "heartbeat", "--actor", "process:a"] + lease.right + more)
    }

    /// Bodies of entries with this action.
    func laneBodies(_ operation: String) throws -> [JSON] {
        try entries("--action", "lane." + operation).compactMap { $0["entry"]?["body"] }
    }
}
