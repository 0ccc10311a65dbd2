import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger

struct LaneExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the ledger's live leases as a lane journal that dos-kernel reads.",
        discussion: """
            Without --file it is printed. A file that is there is never written over. Expired leases stay behind: dos-kernel would hold \
            them for ever.

            Example:
              bulla lane export --file .dos/lane-journal.jsonl
            """)

    @Option(help: ArgumentHelp("The new journal.", valueName: "path"))
    var file: String?

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let fold = try options.lanes()
        let now = Instant(Environment.system)
        let leases = fold.state.ordered.filter { $0.standing(fold.state.settings, at: now) != .expired }
        let bytes = LaneJournal.exporting(leases, upTo: fold.seq)
        guard let file else { return Output.write(bytes) }
        try JournalFile(file).create(bytes)
        if options.json {
            Output.line(
                Printable.json([
                    "file": .string(file), "leases": .number(Double(leases.count)), "seq": .number(Double(fold.seq)),
                ]))
        } else {
            Output.line(Printable.text("\(file): live leases \(leases.count), up to seq \(fold.seq)"))
        }
    }
}
