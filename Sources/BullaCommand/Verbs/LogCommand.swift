import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        .log,
        abstract: "List entries, each with its seal checked.",
        discussion: """
            Damage ends the list, after everything before it: the message names the place. With --json each entry is one line, as it is \
            in the ledger.

            Examples:
              bulla log --last 20
              bulla log --actor 'user:*' --since 2h
              bulla log --action record.finished --json | jq .entry.body
            """)

    @Option(help: ArgumentHelp("From this seq on.", valueName: "seq"))
    var from: UInt64?

    @Option(help: ArgumentHelp("Up to this seq.", valueName: "seq"))
    var to: UInt64?

    @Option(help: ArgumentHelp("Only this actor; a * at the end stands for anything.", valueName: "actor"))
    var actor: String?

    @Option(help: ArgumentHelp("Only this action; a * at the end stands for anything.", valueName: "action"))
    var action: String?

    @Option(help: ArgumentHelp("Only since then: a time as in the ledger, or 90s, 15m, 2h, 7d ago.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Only the last N that fit.", valueName: "n"))
    var last: Int?

    @Flag(help: "Go on as entries come; end with control-C.")
    var follow = false

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if let last, last < 1 { throw ValidationError("--last takes a number from 1 on") }
        if let from, from < 1 { throw ValidationError("--from takes a seq, from 1 on") }
        if let from, let to, to < from { throw ValidationError("--to lies before --from") }
    }

    func run() async throws {
        let filter = EntryFilter(
            actor: actor, action: action, since: try since.map { text throws(LedgerError) in try SinceTime.parsed(text) })
        try await archives.reading(options) { storage throws(LedgerError) in
            var next = try LedgerView.showing(storage) { view, hasShown throws(LedgerError) in try list(view, filter, &hasShown) }
            while follow {
                Environment.system.pause(200_000)
                next = try LedgerView.showing(storage) { view, hasShown throws(LedgerError) in
                    try print(view, from: next, through: to ?? .max, filter, &hasShown)
                }
            }
        }
    }

    /// Prints what is asked for; returns the seq behind it.
    private func list(_ view: LedgerView, _ filter: EntryFilter, _ hasShown: inout Bool) throws(LedgerError) -> UInt64 {
        let (first, end) = (from ?? view.firstSeq, to ?? .max)
        guard let last else { return try print(view, from: first, through: end, filter, &hasShown) }
        let tip = min(try EntryReader(view, .system).lastSeq(), end)
        if filter.isEmpty {
            let start = tip >= UInt64(last) ? tip - UInt64(last) + 1 : 1
            return try print(view, from: max(first, start), through: end, filter, &hasShown)
        }
        let start = try LastMatches(view, matches: filter.matches).first(of: last, from: first, through: tip)
        return try print(view, from: start, through: end, filter, &hasShown)
    }

    private func print(
        _ view: LedgerView, from first: UInt64, through last: UInt64, _ filter: EntryFilter, _ hasShown: inout Bool
    ) throws(LedgerError) -> UInt64 {
        var printer = EntryPrinter(isJSON: options.json, columns: Output.stdoutColumns, settledSeq: view.validHead?.seq ?? 0)
        defer { printer.flush() }
        return try EntryReader(view, .system).read(from: first, through: last) { frame, bytes in
            guard filter.matches(frame, bytes) else { return true }
            hasShown = true
            printer.print(frame, bytes)
            return true
        }.next
    }
}
