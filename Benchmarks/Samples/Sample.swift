import CanonicalJSON
import LedgerFormat

/// A kind of ledger: what its entries are, by their numbers from 0.
enum Sample: String, CaseIterable {
    /// A tree of 10,000 leaves, and changes of one leaf each.
    case documents

    func draft(_ number: Int) throws -> Draft {
        switch self {
        case .documents: try documents(number)
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

    private static func path(_ leaf: Int) -> String { "/group\(leaf / width)/leaf\(leaf % width)" }

    private static var tree: JSON {
        .object(
            JSONObject(
                (0..<width).map { group in
                    ("group\(group)", .object(JSONObject((0..<width).map { ("leaf\($0)", .number(Double(group * width + $0))) })))
                }))
    }
}
