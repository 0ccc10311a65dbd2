import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one entry whole; its seal is checked.",
        discussion: """
            Example:
              bulla show 42
            """)

    @Argument(help: "The entry's seq.")
    var seq: UInt64

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard seq >= 1 else { throw ValidationError("seqs begin at 1") }
    }

    func run() throws {
        let view = try LedgerView(try archives.storage(of: options))
        let reader = EntryReader(view, .system)
        // Read twice at most: the first for the friendly error if there is no such entry.
        let entry = try reader.entry(seq)
        var payload: [UInt8] = []
        var readmission: (seq: UInt64, isProven: Bool)?
        if case .readmitted(let found, let seq) = try reader.fate(of: seq) {
            payload = found.payload
            readmission = (seq, found.isProven)
        } else {
            try reader.read(from: seq, through: seq) { frame, bytes in
                payload = bytes.copy(frame.payload)
                return false
            }
        }
        if options.json {
            Output.write(Printable.json(payload) + [0x0A])
            return
        }
        guard let json = try? JSON(parsing: payload) else { preconditionFailure("a verified payload is JSON") }
        Output.line(Printable.pretty(json))
        if view.keyring.keys[entry.key] == nil { Output.error("bulla: the sig was not checked, the key is absent") }
        if let readmission {
            let proof = readmission.isProven ? "" : ", and nothing proves that it was the ledger's"
            Output.error("bulla: entry \(seq) was re-admitted by a repair, in entry \(readmission.seq)\(proof)")
        }
        if !view.isSettled(entry.seq) { Output.error("bulla: entry \(entry.seq) is unsettled: HEAD does not vouch for it yet") }
    }
}

struct ReceiptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipt",
        abstract: "Print an entry's receipt: one line fit for a commit message, a mail or syslog.",
        discussion: """
            Kept where the ledger's writer cannot reach, a receipt later proves a rollback, a truncation or another history \
            (bulla verify --receipt FILE).

            Example:
              git commit -m "release" -m "$(bulla receipt 42)"
            """)

    @Argument(help: "The entry's seq.")
    var seq: UInt64

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard seq >= 1 else { throw ValidationError("seqs begin at 1") }
    }

    func run() throws {
        let (receipt, isSettled) = try LedgerView.asking(try archives.storage(of: options)) { view throws(LedgerError) in
            (try EntryReader(view, .system).entry(seq).receipt, view.isSettled(seq))
        }
        guard isSettled else {
            throw LedgerError(
                .refused, "entry \(seq) is unsettled: HEAD does not vouch for it yet, and there is no receipt before it does")
        }
        Output.line(options.json ? Printable.json(receipt.json) : receipt.line)
    }
}
