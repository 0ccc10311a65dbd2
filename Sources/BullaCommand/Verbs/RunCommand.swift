import ArgumentParser
import Dispatch
import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Stay up, and serve appends of other processes over a socket.",
        discussion: """
            Those who may connect need no access to the ledger or its key: they record with append, ingest or record and --socket. \
            Each entry's context says who asked: {"peer":{"uid":…,"gid":…,"pid":…}}.

            Example:
              bulla run --socket /run/bulla/socket --socket-group agents
            """)

    @Option(help: ArgumentHelp("Where others connect; only the owner may (mode 0600).", valueName: "path"))
    var socket: String

    @Option(help: ArgumentHelp("A group that may connect too (mode 0660), by name or number.", valueName: "group"))
    var socketGroup: String?

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() async throws {
        let (stops, stop) = AsyncStream.makeStream(of: Void.self)
        var sources: [any DispatchSourceSignal] = []
        for number in [SIGTERM, SIGINT] {
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { stop.yield() }
            await withCheckedContinuation { registered in
                source.setRegistrationHandler { registered.resume() }
                source.resume()
            }
            sources.append(source)
        }
        let committer = GroupCommitter(try options.storage(), .system, writer.settings)
        let server = SocketServer(path: socket, group: socketGroup, committer: committer)
        try server.start()
        Output.line("online")
        for await _ in stops { break }
        await server.stop()
    }
}
