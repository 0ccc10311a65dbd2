import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Lanes
import Ledger
import LedgerFormat

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

struct LaneTopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Watch lanes: holder, token, age, last beat, liveness, who is about to come, and what rests.",
        discussion: """
            Takes no lock. q or control-C quits. Piped, or with --json, it looks once.

            Example:
              bulla lane top --interval 5
            """)

    @Option(help: ArgumentHelp("From one look to the next.", valueName: "seconds"))
    var interval: Double = 1

    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard (0.05...3600).contains(interval) else { throw ValidationError("--interval takes seconds from 0.05 to 3600") }
    }

    func run() throws {
        guard Output.stdoutColumns != nil, !options.json else {
            let fold = try options.lanes()
            let table = LaneTable(fold.state, at: Instant(.system))
            if options.json { Output.line(Printable.json(.object(table.json(fold.seq)))) } else { table.print(width: nil) }
            return
        }
        var watch = LanesWatch(options)
        // Without a ledger there is nothing to watch.
        if let trouble = watch.look().trouble, trouble.code == .usage { throw trouble }
        let signal = try TerminalScreen.show(interval: interval) { _ in
            watch.look()
        } lines: { state, size in
            LaneLayout(width: size.width, height: size.height).lines(state, path: options.path)
        }
        Output.exit(signal == nil || signal == SIGINT ? 0 : 128 + (signal ?? 0))
    }
}
