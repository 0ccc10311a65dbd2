import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct ActorSignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign drafts, to be recorded elsewhere by `bulla ingest`.",
        discussion: """
            Reads drafts as ingest does, one a line, and prints each with its signature for one ledger. Where that ledger is not at hand, \
            --receipt names it and the base by any receipt of it. A draft without an id gets one, and one without a base the ledger's last \
            entry. It can be recorded within \(ActorRoster.baseDistanceMax) entries behind its base, and counts once.

            Examples:
              bulla actor sign --actor-key ada.key drafts.jsonl | bulla ingest -
              bulla actor sign --actor-key ada.key --receipt bulla-receipt-v1/… - < draft > signed
            """)

    @Argument(help: ArgumentHelp("The drafts' file, or - for stdin.", valueName: "file"))
    var file: String

    @Option(name: .customLong("actor-key"), help: ArgumentHelp("The actor's private key.", valueName: "file"))
    var keyFile: String

    @Option(help: ArgumentHelp("A receipt of the ledger, instead of --ledger; its entry is the base.", valueName: "receipt"))
    var receipt: String?

    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if receipt != nil, options.ledger != nil { throw ValidationError("--receipt and --ledger both name a ledger: give one") }
    }

    func run() throws {
        let signer = try ActorKeyFile(keyFile).read()
        let (ledger, base) = try place()
        var lines = LineReader(try InputFile(file), cutsLongLines: false)
        var parser = LineParser()
        while case .line(let line) = try lines.next(waiting: true) {
            let drafts: [Draft]
            do throws(LineRefusal) {
                drafts = try parser.parse(line, of: lines.buffer) { _ in nil }
            } catch {
                throw LedgerError(error.isRule ? .refused : .usage, "line \(lines.lineCount) is refused: \(error.reason)")
            }
            for draft in drafts {
                var bytes: [UInt8] = []
                draft.signed(by: signer, in: ledger, base: base, id: Environment.system.randomText()).append(to: &bytes)
                Output.line(String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    private func place() throws(LedgerError) -> (LedgerID, base: UInt64) {
        guard let receipt else {
            let view = try LedgerView(try options.storage())
            guard let head = view.validHead else {
                throw LedgerError(
                    .tampered, "HEAD of \(view.storage.basePath) says not what the last entry is; verify the ledger")
            }
            return (head.ledger, head.seq)
        }
        guard let found = Receipt(line: receipt) else {
            throw LedgerError(.usage, "\(receipt) is no receipt, which is one line beginning with bulla-receipt-v1/")
        }
        return (found.ledger, found.seq)
    }
}
