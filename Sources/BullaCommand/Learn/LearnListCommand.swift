import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct LearnListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List traumas, the oldest first, and say of each whether it was answered.",
        discussion: """
            STATE is open (it wants an answer), recurred (so does it, and came again behind an answer), answered, complete (all was known \
            at once), or forgotten (its signature is none of the newest 512).

            Examples:
              bulla learn list --open
              bulla learn list --actor 'specialist:*' --since 7d
              bulla learn list --signature record/make/test/exit-2 --json | jq -r .trauma
            """)

    @Option(help: ArgumentHelp("Only of this actor or owner; a * at the end stands for anything.", valueName: "actor"))
    var actor: String?

    @Option(help: ArgumentHelp("Only of this signature; a * at the end stands for anything.", valueName: "text"))
    var signature: String?

    @Option(help: ArgumentHelp("Only since then: a time as in the ledger, or 90s, 15m, 2h, 7d ago.", valueName: "time"))
    var since: String?

    @Flag(help: "Only those that want an answer.")
    var open = false

    @Option(help: ArgumentHelp("Only the last so many that fit.", valueName: "n"))
    var last: Int?

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if let last, last < 1 { throw ValidationError("--last takes a number from 1 on") }
    }

    func run() throws {
        let earliest = try since.map { text throws(LedgerError) in try SinceTime.parsed(text) }
        let view = try LedgerView(try archives.storage(of: options))
        let learning = try StateReading<Learning>(try options.storage()).fold.state
        try archives.sayAbsence(view)
        var mark = Mark(lastArchivedIn: view)
        var table = TraumaTable(isJSON: options.json, width: Output.stdoutColumns, last: last)
        try FactReader(view, of: Learning.namespaces, .system).read(after: &mark) { fact in
            if let earliest, fact.time < earliest { return }
            guard let told = ToldTrauma(fact, learning), isWanted(told) else { return }
            table.add(told)
        }
        table.finish()
        if open, learning.forgottenOpenCount > 0 {
            Output.error(
                "bulla: \(Format.count(learning.forgottenOpenCount)) more want an answer, of signatures that are forgotten; without --open they are listed"
            )
        }
        if table.isEmpty, !options.json { Output.error("bulla: no trauma of that kind is recorded") }
    }

    private func isWanted(_ told: ToldTrauma) -> Bool {
        if open, !told.isOpen { return false }
        if let actor, !Self.matches(told.actor, actor), !Self.matches(told.incident.learner, actor) { return false }
        return signature.map { Self.matches(told.incident.signature.text, $0) } ?? true
    }

    /// Texts are the same if their bytes are.
    private static func matches(_ text: String, _ pattern: String) -> Bool {
        guard pattern.hasSuffix("*") else { return text.utf8.elementsEqual(pattern.utf8) }
        return text.utf8.starts(with: pattern.utf8.dropLast())
    }
}
