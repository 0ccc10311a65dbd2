import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat

struct StateHistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Tell who changed the value at a place, when, to what and why.",
        discussion: """
            Example:
              bulla state history /deploy/version
            """)

    @Argument(help: "A JSON Pointer.")
    var pointer: JSONPointer

    @Option(help: ArgumentHelp("Up to then: a seq, a hash, or a time in UTC.", valueName: "seq|hash|time"))
    var at: Point?

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        try LedgerView.showing(try archives.storage(of: options)) { view, hasShown throws(LedgerError) in
            try show(view, &hasShown)
        }
    }

    private func show(_ view: LedgerView, _ hasShown: inout Bool) throws(LedgerError) {
        let end = try at?.end(in: view, .system) ?? .tip
        try archives.sayAbsence(view)
        try DocumentHistory.read(pointer, in: view, to: end, .system) { change in
            hasShown = true
            print(change)
        }
        if !hasShown, !options.json {
            Output.error("bulla: nothing \(view.base == nil ? "ever " : "since then ")stood at \"\(pointer)\"")
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
        let who = Printable.text("seq \(change.seq)  \(change.time)  \(change.actor)")
        Output.line("\(who)  \(what)\n    \(Printable.text(change.reason))")
    }
}
