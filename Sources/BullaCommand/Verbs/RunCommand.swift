import ArgumentParser
import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Keep the ledger for others: serve appends over a socket.",
        discussion: """
            Example:
              bulla run --socket /run/bulla/socket --socket-group agents
            """)

    @Option(help: ArgumentHelp("Serve appends of other processes at this path.", valueName: "path"))
    var socket: String

    @Option(help: ArgumentHelp("Who may connect besides the owner.", valueName: "group"))
    var socketGroup: String?

    @OptionGroup var options: LedgerOptions

    func run() async throws {
        let signals = SignalWatch([SIGTERM, SIGINT])
        let committer = GroupCommitter(try options.storage(), .system)
        let server = SocketServer(path: socket, group: socketGroup, committer: committer)
        try server.start()
        Output.line("online")
        _ = await signals.next()
        await server.stop()
    }
}
