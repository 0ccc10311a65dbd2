import ArgumentParser
import Ledger

/// What the verbs take that can record through a server: where to, in whose name, and how long to wait.
///
/// One group, and not `SignerOptions`, `WriterOptions` and `LedgerOptions` beside the socket: for each group that a verb has, the
/// parser asks the runtime about a handful of types, and that is what a short process does most.
struct RecorderOptions: ParsableArguments {
    @Option(name: SignerOptions.name, help: SignerOptions.help)
    var actorKey: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Record through the server at this socket (bulla run --socket), instead of --ledger.", valueName: "path"))
    var socket: String?

    @Option(name: .long, help: WriterOptions.help)
    var wait: Double?

    @Option(name: .long, help: LedgerOptions.ledgerHelp)
    var ledger: String?

    @Flag(name: .long, help: LedgerOptions.jsonHelp)
    var json = false

    func validate() throws {
        if socket?.isEmpty == true { throw ValidationError("--socket names no path") }
        if socket != nil, ledger != nil { throw ValidationError("--ledger and --socket name two places: give one") }
        try writer.validate()
        try options.validate()
    }

    /// The ledger, where it is written directly.
    var options: LedgerOptions {
        var options = LedgerOptions()
        options.ledger = ledger
        options.json = json
        return options
    }

    private var writer: WriterOptions {
        var writer = WriterOptions()
        writer.wait = wait
        return writer
    }

    private var signing: SignerOptions {
        var signing = SignerOptions()
        signing.file = actorKey
        return signing
    }

    func recorder() throws(LedgerError) -> Recorder {
        let settings = try writer.settings(signing)
        if let socket {
            return Recorder(SocketClient(path: socket, waitMicroseconds: settings.lockTimeoutMicroseconds), settings.signer)
        }
        return Recorder(WriterSession(try options.storage(), .system, settings, anchor: options.anchor))
    }
}
