import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger

struct StateDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Print the JSON Patch that leads from the state at one point to that at another.",
        discussion: """
            Example:
              bulla state diff 42 2026-01-31T12:00:00Z
            """)

    @Argument(help: ArgumentHelp("A seq, a hash, or a time in UTC.", valueName: "from"))
    var from: Point

    @Argument(help: ArgumentHelp("The same; without it, now.", valueName: "to"))
    var to: Point?

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func run() async throws {
        let (first, last) = try await archives.reading(options) { storage throws(LedgerError) in
            (try StateReading<Documents>(storage, at: from).fold, try StateReading<Documents>(storage, at: to).fold)
        }
        let patch = JSONPatch.diff(from: first.state.root, to: last.state.root).json
        if options.json {
            Output.line(
                Printable.json(["from": .number(Double(first.seq)), "patch": patch, "to": .number(Double(last.seq))]))
        } else {
            Output.line(Printable.patch(patch))
        }
    }
}

extension Printable {
    /// A JSON Patch, one operation a line.
    static func patch(_ patch: JSON) -> String {
        guard let operations = patch.array, !operations.isEmpty else { return "[]" }
        return "[\n" + operations.map { "  " + json($0) }.joined(separator: ",\n") + "\n]"
    }
}
