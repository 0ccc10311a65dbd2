import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat

struct StateHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Tell who changed the value at a place, when, to what and why.",
        discussion: """
            Example:
              bulla state history /deploy/version
            """)

    @Argument(help: "A JSON Pointer.")
    var pointer: JSONPointer

    @Option(
        help: ArgumentHelp(
            "Up to then: a seq, a hash, or a time in UTC such as 2026-01-31T12:00:00Z.", valueName: "seq|hash|time"))
    var at: Point?

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func run() async throws {
        try await archives.reading(options) { storage throws(LedgerError) in
            try LedgerView.showing(storage) { view, hasShown throws(LedgerError) in try show(view, &hasShown) }
        }
    }

    private func show(_ view: LedgerView, _ hasShown: inout Bool) throws(LedgerError) {
        let end = try at?.end(in: view, .system) ?? .tip
        try archives.sayAbsence(view, isFolded: true)
        try DocumentHistory.read(pointer, in: view, to: end, .system) { change in
            hasShown = true
            print(change)
        }
        if !hasShown, !options.json {
            let place = "\"\(Printable.shortened(pointer.description))\""
            Output.error(
                view.base == nil ? "bulla: nothing ever stood at \(place)" : "bulla: \(place) was not changed since")
        }
    }

    private func print(_ change: DocumentHistory.Change) {
        if options.json {
            var object: JSONObject = [
                "action": .string(change.action), "actor": .string(change.actor), "reason": .string(change.reason),
                "seq": .number(Double(change.seq)), "time": .string(change.time.description),
            ]
            object["value"] = change.value
            Output.line(Printable.json(.object(object)))
            return
        }
        let how = change.action == "state.restored" ? "restored" : "set"
        let what = change.value.map { "\(how) to \(Printable.json($0))" } ?? "removed"
        let who = Printable.text("seq \(change.seq)  \(change.time)  \(Printable.name(change.actor))")
        Output.line("\(who)  \(what)\n    \(Printable.text(change.reason))")
    }
}
