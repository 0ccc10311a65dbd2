import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .doctor,
        abstract: "Check what surrounds the ledger, as a careful administrator would, and say what to do.",
        discussion: """
            File system, space, permissions, links, clock, syncs, key, HEAD, last audit, anchor, leftovers, and who is writing. Exits \
            with 20 if there is a problem; advice alone is no problem. Writes nothing but a file doctor.tmp in the ledger's directory, \
            to time its syncs, and removes it; --no-write leaves that out. Whether the entries are whole, `bulla verify` says.

            Example:
              bulla doctor --ledger /var/lib/bulla
            """)

    @Flag(help: "Write nothing: leave the syncs out.")
    var noWrite = false

    @OptionGroup var options: LedgerOptions

    private static let syncCount = 20

    func run() throws {
        let findings = try findings()
        let problemCount = findings.count { $0.state == .problem }
        if options.json {
            Output.line(
                Printable.json([
                    "problems": .number(Double(problemCount)), "advice": .number(Double(findings.count { $0.state == .advice })),
                    "findings": .array(findings.map(json)),
                ]))
        } else {
            for finding in findings { print(finding) }
            Output.line("\n" + (problemCount == 0 ? "no problem" : problemCount == 1 ? "1 problem" : "\(problemCount) problems"))
        }
        if problemCount > 0 { Output.exit(ErrorCode.refused.rawValue) }
    }

    private func findings() throws -> [Finding] {
        let storage: POSIXStorage
        do throws(LedgerError) {
            storage = try options.storage()
        } catch {
            // What no verb would open is what the doctor is asked about.
            guard error.code == .refused else { throw error }
            return [.problem("path", error.message, do: "no verb opens the ledger until this is mended")]
        }
        return Checkup.findings(
            try DoctorFacts(storage, .system, anchor: options.anchor, syncCount: noWrite ? 0 : Self.syncCount))
            + pendingPatches(storage)
    }

    /// What was signed and is not known to be done. Where the state cannot be told, other verbs say why.
    private func pendingPatches(_ storage: POSIXStorage) -> [Finding] {
        guard let articles = try? LedgerView(storage).actors().articles,
            let state = try? StateReading<Patches>(storage).fold.state
        else { return [] }
        let (decider, shelf) = (Decider(storage, .system), options.shelf(articles))
        let unknown = state.patches.filter { state.standing(of: $0) == .unknown }.map { patch in
            Finding.advice(
                "patch", "patch \(patch.seq) of \(patch.change.handbook) \(Patches.Standing.unknown.told)",
                do: "look at its handbook, and approve it anew, take it back, or reject it: `bulla patch show \(patch.seq)`")
        }
        return unknown
            + state.pending.map { text in
                let obstacle = decider.obstacle(of: text, shelf).map { ": \($0)" } ?? ""
                return .problem(
                    "patch",
                    "patch \(text.act.proposal) of \(text.handbook) is signed, and its handbook is not known to be changed\(obstacle)",
                    do:
                        "`bulla patch review` finishes it, or says what is in its way; `bulla patch reject \(text.act.proposal)` gives it up"
                )
            }
    }

    private func print(_ finding: Finding) {
        let state = finding.state == .problem ? "PROBLEM" : finding.state.rawValue
        Output.line(pad(state, 9) + pad(finding.name, 13) + Printable.text(finding.found))
        if let remedy = finding.remedy { Output.line(pad("", 22) + "-> " + Printable.text(remedy)) }
    }

    private func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

    private func json(_ finding: Finding) -> JSON {
        [
            "name": .string(finding.name), "state": .string(finding.state.rawValue), "found": .string(finding.found),
            "remedy": finding.remedy.map { .string($0) } ?? .null,
        ]
    }
}
