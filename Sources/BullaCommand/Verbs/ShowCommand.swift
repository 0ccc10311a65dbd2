import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        .show,
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

    func run() async throws {
        let found = try await archives.reading(options) { storage throws(LedgerError) in
            try LedgerView.asking(storage) { view throws(LedgerError) in try find(in: view) }
        }
        if options.json {
            Output.write(Printable.json(found.payload) + [0x0A])
            return
        }
        guard let json = try? JSON(parsing: found.payload) else { preconditionFailure("a verified payload is JSON") }
        Output.line(Printable.pretty(json))
        if !found.isSealChecked { Output.error("bulla: the sig was not checked, the key is absent") }
        if let readmission = found.readmission {
            let proof = readmission.isProven ? "" : ", and nothing proves that it was the ledger's"
            Output.error("bulla: entry \(seq) was re-admitted by a repair, in entry \(readmission.seq)\(proof)")
        }
        if !found.isSettled { Output.error("bulla: entry \(seq) is unsettled: HEAD does not vouch for it yet") }
    }

    private struct Found {
        var payload: [UInt8]
        var readmission: (seq: UInt64, isProven: Bool)?
        var isSealChecked: Bool
        var isSettled: Bool
    }

    private func find(in view: LedgerView) throws(LedgerError) -> Found {
        let reader = EntryReader(view, .system)
        // Read twice at most: the first for the friendly error if there is no such entry.
        let entry = try reader.entry(seq)
        var found = Found(
            payload: [], isSealChecked: view.keyring.keys[entry.key] != nil, isSettled: view.isSettled(entry.seq))
        if case .readmitted(let readmitted, let seq) = try reader.fate(of: seq) {
            found.payload = readmitted.payload
            found.readmission = (seq, readmitted.isProven)
        } else {
            try reader.read(from: seq, through: seq) { frame, bytes in
                found.payload = bytes.copy(frame.payload)
                return false
            }
        }
        return found
    }
}

struct ReceiptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        .receipt,
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

    func run() async throws {
        let (receipt, isSettled) = try await archives.reading(options) { storage throws(LedgerError) in
            try LedgerView.asking(storage) { view throws(LedgerError) in
                let reader = EntryReader(view, .system)
                try reader.checkHead()
                return (try reader.entry(seq).receipt, view.isSettled(seq))
            }
        }
        guard isSettled else {
            throw LedgerError(
                .refused, "entry \(seq) is unsettled: HEAD does not vouch for it yet, and there is no receipt before it does")
        }
        Output.line(options.json ? Printable.json(receipt.json) : receipt.line)
    }
}
