import Foundation
import TestSupport

/// Judges a ledger after a fault, from outside the engine: receipts that callers kept, and the independent verifier.
struct Judgement {
    let bulla: String
    let ledger: String

    static let appendArguments = [
        "append", "--actor", "user:torture", "--action", "torture.append", "--pillar", "resilience", "--reason", "torture",
        "--body", "{}",
    ]

    func append(_ more: [String] = []) throws -> Child.Result {
        try Child.run(bulla, Self.appendArguments + ["--ledger", ledger] + more)
    }

    /// What `bulla verify` finds wrong; nil if the ledger is whole, or torn as by a crash.
    ///
    /// - Parameter archive: where old entries may have gone; looked at if any have.
    func verifierComplaint(receipts: [String], in place: Workplace, archive: String? = nil) throws -> String? {
        var arguments = ["verify", "--ledger", ledger]
        if let archive, LedgerFiles.names(ofSegmentsIn: archive)?.isEmpty == false { arguments += ["--archive", archive] }
        if !receipts.isEmpty {
            try place.write(receipts.joined(separator: "\n") + "\n", to: "receipts")
            arguments += ["--receipt", place.path("receipts")]
        }
        let result = try Child.run(bulla, arguments)
        if result.code == 0, !result.output.contains("the alert is RAISED") { return nil }
        return "bulla verify: \(result.code) \(result.output.prefix(300)) \(result.error.prefix(300))"
    }

    /// What tools/verify_ledger.py finds wrong.
    func judgeComplaint() throws -> String? {
        let result = try Child.run("python3", [Program.repository + "/tools/verify_ledger.py", ledger])
        let isGood = result.code == 0 && (result.output.hasPrefix("intact: ") || result.output.hasPrefix("torn: "))
        return isGood ? nil : "the judge: \(result.code) \(result.output.prefix(300)) \(result.error.prefix(300))"
    }

    /// What the files show to be missing or double.
    func fileComplaints(receipts: [String]) throws -> [String] { try LedgerFiles(ledger).complaints(receipts: receipts) }
}
