import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a new ledger: directory, sealing key, first entry.",
        discussion: """
            Nothing is ever overwritten. The sealing key lies in keys/ (mode 600): whoever can read it can forge, so a backup of it \
            belongs where the recorded agents cannot look.

            Example:
              bulla init --ledger /var/lib/bulla
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let environment = Environment.system
        let storage: POSIXStorage
        do throws(StorageError) {
            storage = try POSIXStorage(
                constructing: options.path, random: environment.random(),
                allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
        } catch {
            throw refusal(error)
        }
        LedgerOptions.removeOrphans(beside: storage)
        do throws(LedgerError) {
            let receipt = try Initialization.run(storage, environment)
            keepAnchor(storage)
            if options.json {
                Output.line(Printable.json(["ledger": .string(options.path), "receipt": receipt.json]))
            } else {
                Output.line("made a ledger at \(Printable.text(options.path)), id \(receipt.ledger)")
                Output.line(receipt.line)
            }
        } catch {
            storage.abandon()
            throw error
        }
    }

    /// From the first entry on a step back is noticed; without the anchor the ledger is none the worse.
    private func keepAnchor(_ storage: POSIXStorage) {
        guard let anchor = options.anchor, let head = try? LedgerView(storage).validHead else { return }
        let sighting = Anchor.Sighting(head, at: anchor.here, Environment.system.now())
        if let failure = anchor.update(head.ledger, { $0.note(sighting) }) { Output.error("bulla: \(Printable.text(failure))") }
    }

    private func refusal(_ error: StorageError) -> LedgerError {
        if error.isExisting { return LedgerError(.refused, "\(options.path) exists already; init overwrites nothing") }
        return LedgerError(error, doing: "cannot make a ledger")
    }
}
