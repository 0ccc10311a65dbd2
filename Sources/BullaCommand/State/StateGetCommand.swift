import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger

struct StateGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Print the value at a place, now or at an earlier point.",
        discussion: """
            Examples:
              bulla state get
              bulla state get /deploy/version --at 42
            """)

    @Argument(help: "A JSON Pointer; without one the whole tree.")
    var pointer = JSONPointer()

    @Option(
        help: ArgumentHelp(
            "As it was then: a seq, a hash, or a time in UTC such as 2026-01-31T12:00:00Z.", valueName: "seq|hash|time"))
    var at: Point?

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func run() async throws {
        let reading = try await archives.reading(options) { storage throws(LedgerError) in
            try StateReading<Documents>(storage, at: at)
        }
        let documents = reading.fold.state
        guard let value = documents.root[pointer] else {
            throw LedgerError(
                .refused, "there is nothing at \"\(Printable.shortened(pointer.description))\"\(at.map { " at \($0)" } ?? "")")
        }
        if options.json {
            Output.line(
                Printable.json([
                    "pointer": .string(pointer.description), "seq": .number(Double(reading.fold.seq)),
                    "skipped": .number(Double(documents.skippedCount)),
                    "snapshot": reading.snapshotSeq.map { .number(Double($0)) } ?? .null, "value": value,
                ]))
        } else {
            Output.line(Printable.pretty(value))
        }
        if let last = documents.lastSkipped {
            Output.error(
                "bulla: \(documents.skippedCount) changes were passed over, the last in entry \(last): a repair lost what they build on"
            )
        }
    }
}
