import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .`init`,
        abstract: "Make a new ledger: directory, sealing key, first entry.",
        discussion: """
            Nothing is ever overwritten. The sealing key lies in keys/ (mode 600): whoever can read it can forge, so a backup of it \
            belongs where the recorded agents cannot look.

            With --associate the house has people: an alert is released only with the signatures of --threshold of these keys, \
            which can be changed later only by as many (bulla associate). A ledger that was made without stays without.

            Examples:
              bulla init --ledger /var/lib/bulla
              bulla init --associate 3b6a27bc… --associate d2bbca19… --associate 8139770e… --threshold 2
            """)

    @Option(
        help: ArgumentHelp("An associate's public key, in 64 hexadecimal digits (may be repeated).", valueName: "key"))
    var associate: [String] = []

    @Option(help: ArgumentHelp("How many associates must sign (default: more than half of them).", valueName: "m"))
    var threshold: Int?

    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if threshold != nil, associate.isEmpty {
            throw ValidationError("--threshold says how many of the keys given with --associate must sign")
        }
    }

    private func founders() throws(LedgerError) -> (keys: [ActorKey], threshold: Int)? {
        guard !associate.isEmpty else { return nil }
        let keys = try ActorKey.named(associate, otherwise: "nothing was made")
        return (keys, threshold ?? Associates.majority(of: keys.count))
    }

    func run() throws {
        let founders = try founders()
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
            let receipt = try Initialization.run(storage, environment, founders: founders)
            keepAnchor(storage)
            if options.json {
                Output.line(Printable.json(["ledger": .string(options.path), "receipt": receipt.json]))
            } else {
                Output.line("made a ledger at \(Printable.text(options.path)), id \(receipt.ledger)")
                if let founders {
                    Output.line("\(founders.threshold) of \(founders.keys.count) associates must sign to release an alert")
                }
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

extension ActorKey {
    /// Reads what `--associate` takes.
    static func named(_ texts: [String], otherwise: String) throws(LedgerError) -> [ActorKey] {
        var keys: [ActorKey] = []
        for text in texts {
            do throws(ActorKeyFault) { keys.append(try ActorKey(text)) } catch {
                throw LedgerError(.refused, "\(AssociateObjection.key(text, error)); \(otherwise)")
            }
        }
        return keys
    }
}

extension Associates {
    /// How many must sign unless something else is said.
    static func majority(of count: Int) -> Int { count / 2 + 1 }
}
