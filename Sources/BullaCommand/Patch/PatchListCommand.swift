import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct PatchListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List patches, the oldest first, and say what became of each.",
        discussion: """
            STATE is proposed, stale (proposed, and the handbook has changed since), approved or reverting (signed, and not applied yet), \
            restoring (by bulla restore --handbook, and not done yet), applied, reverted, rejected or unknown (signed, and entries were \
            lost since: nobody can tell whether it was carried out or given up, so nothing of it is done; approve it anew or reject it).

            Examples:
              bulla patch list
              bulla patch list --open --json | jq .patches
            """)

    @Flag(help: "Only those that want something to be done.")
    var open = false

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let patches = try StateReading<Patches>(try options.storage()).fold.state
        let shelf = options.shelf(try ConstitutionHouse(options).actors.articles)
        let wanted = patches.patches.filter { !open || patches.isOpen($0) }
        let states = wanted.map { patches.state(of: $0, on: shelf) }
        if options.json {
            let rows = zip(wanted, states).map { patch, state in JSON.object(patch.json(state)) }
            Output.line(Printable.json(["forgotten": .number(Double(patches.forgottenCount)), "patches": .array(rows)]))
            return
        }
        guard !wanted.isEmpty else {
            Output.line(open ? "no patch is open" : "no patch is recorded")
            return
        }
        let rows = zip(wanted, states).map { patch, state in
            ["\(patch.seq)", state, patch.change.handbook, patch.author, patch.signature?.text ?? patch.reason]
        }
        let table = TextTable(
            [
                .init("PATCH", .number), .init("STATE"), .init("HANDBOOK", .text(least: 12)), .init("BY", .text(least: 8)),
                .init("WHY", .text(least: 12)),
            ], rows, width: Output.stdoutColumns)
        Output.line(table.heading)
        for row in rows { Output.line(table.line(row)) }
    }
}

extension Patches {
    /// What is told of a patch: also whether it still fits.
    func state(of patch: Patch, on shelf: Shelf) -> String {
        let standing = standing(of: patch)
        guard standing == .proposed else { return standing.rawValue }
        let handbook = (try? HandbookName(patch.change.handbook)).flatMap { try? shelf.find($0) }
        return handbook?.digest == patch.change.base ? standing.rawValue : "stale"
    }
}

extension Patch {
    func json(_ state: String) -> JSONObject {
        var object: JSONObject = [
            "author": .string(author), "base": .string(change.base.description), "diff_sha256": .string(change.diff.description),
            "handbook": .string(change.handbook), "patch": .number(Double(seq)), "reason": .string(reason),
            "result": .string(change.result.description), "state": .string(state),
        ]
        object["act"] = act.map { .number(Double($0)) }
        object["rejection"] = rejection.map { .number(Double($0)) }
        object["signature"] = signature.map { .string($0.text) }
        return object
    }
}
