import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .top,
        abstract: "Watch a ledger: its tip, rate, audits, alert, lock and newest entries.",
        discussion: """
            Looks at the end of the ledger alone, and takes no lock; `bulla verify` checks everything. q or control-C quits. Piped, or \
            with --json, it looks once; the code is then 0, also in alert, or that of damage that it met.

            The rate is in entries a second: over the last 10 s that were watched, or, for one look, from the oldest entry listed until \
            now. It is - (null in JSON) where that cannot be told.

            Example:
              bulla top --interval 5
            """)

    @Option(help: ArgumentHelp("From one look to the next.", valueName: "seconds"))
    var interval: Double = 1

    @OptionGroup var options: LedgerOptions

    private static let rowCount = 10

    func validate() throws {
        guard (0.05...3600).contains(interval) else { throw ValidationError("--interval takes seconds from 0.05 to 3600") }
    }

    func run() throws {
        var watch = LedgerWatch(options)
        let isWatched = Output.stdoutColumns != nil && !options.json
        let first = watch.look(rowCount: isWatched ? TerminalScreen.size.height : Self.rowCount)
        // Without a ledger there is nothing to watch.
        if let trouble = first.trouble, trouble.code == .usage { throw trouble }
        if isWatched {
            var isFirst = true
            let signal = try TerminalScreen.show(interval: interval) { height in
                defer { isFirst = false }
                return isFirst ? first : watch.look(rowCount: height)
            } lines: { state, size in
                MonitorLayout(width: size.width, height: size.height).lines(state)
            }
            Output.exit(signal == nil || signal == SIGINT ? 0 : 128 + (signal ?? 0))
        }
        if options.json { Output.line(Printable.json(first.json)) } else { printTable(first) }
        Output.exit(first.trouble?.code.rawValue ?? 0)
    }

    private func printTable(_ state: MonitorState) {
        let alert = state.isAlertKnown ? state.isAlert ? "RAISED" : "none" : "-"
        var state = state
        state.rate = state.rateListed
        for (name, value) in [("state", MonitorLayout.verdict(state).text), ("alert", alert)] + MonitorLayout.facts(state) {
            Output.line(Cells.fit(name, to: 8) + Printable.text(value))
        }
        Output.line("")
        // Wide enough for what names and reasons usually are.
        let columns = MonitorLayout.Columns(width: 160, lastSeq: state.rows.last?.seq ?? 0)
        Output.line(columns.heading)
        for row in state.rows.reversed() { Output.line(columns.text(row)) }
    }
}

extension MonitorState {
    fileprivate var json: JSON {
        [
            "alert": isAlertKnown ? .bool(isAlert) : .null,
            "audit": audit.map { ["seq": .number(Double($0.seq)), "time": .string($0.time.description)] } ?? .null,
            "bytes": byteCount.map { .number(Double($0)) } ?? .null, "entries": .array(rows.map(\.json)),
            "key": key.map { .string($0.description) } ?? .null, "key_present": .bool(key != nil && keyAbsence == nil),
            "ledger": ledger.map { .string($0.description) } ?? .null,
            "lock": holder.map {
                ["command": .string($0.command), "pid": .number(Double($0.process)), "stopped": .bool($0.isStopped)]
            } ?? .null,
            "path": .string(path), "rate": rateListed.map { .number($0) } ?? .null,
            "segments": segmentCount.map { .number(Double($0)) } ?? .null,
            "time": .string(now.description), "tip": tip?.json ?? .null,
            "trouble": trouble.map { ["code": .number(Double($0.code.rawValue)), "message": .string($0.message)] } ?? .null,
        ]
    }
}

extension MonitorState.Row {
    fileprivate var json: JSON {
        [
            "action": .string(action), "actor": .string(actor), "reason": .string(reason), "seq": .number(Double(seq)),
            "settled": .bool(isSettled), "time": .string(time.description),
        ]
    }
}
