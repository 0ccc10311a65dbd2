import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat

struct AssociateAddCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Let another key sign for the house.",
        discussion: """
            Prints the request that associates sign; with their signatures it is carried out.

            Examples:
              bulla associate add 3b6a27bc… --reason "Carol joins" > request
              bulla associate add 3b6a27bc… --signed ada.json --signed bob.json
            """)

    @OptionGroup var change: AssociateChange

    func run() throws { try change.run(.add) }
}

struct AssociateRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Let a key sign no more; as many must be left as have to sign.",
        discussion: """
            Prints the request that associates sign; with their signatures it is carried out.

            Examples:
              bulla associate remove 3b6a27bc… --reason "Carol left" > request
              bulla associate remove 3b6a27bc… --associate-key ada.key --associate-key bob.key
            """)

    @OptionGroup var change: AssociateChange

    func run() throws { try change.run(.remove) }
}

/// One key more or less: what both verbs take and do.
struct AssociateChange: ParsableArguments {
    @Argument(help: ArgumentHelp("The public key, in 64 hexadecimal digits.", valueName: "key"))
    var key: String

    @Option(help: ArgumentHelp("How many must sign from then on (default: as many as now).", valueName: "m"))
    var threshold: Int?

    @Option(help: ArgumentHelp("Why (default: no more than what is done).", valueName: "text"))
    var reason: String?

    @OptionGroup var signing: SignedVerbOptions

    fileprivate func run(_ verb: SignedRequest.Verb) throws {
        let options = signing.options
        let command = "bulla associate \(verb == .add ? "add" : "remove") \(key)"
        let asked = try signing.requests.signed(verb, ConstitutionHouse(options), options, for: command) {
            associates throws(LedgerError) in try arguments(verb, associates)
        }
        guard let request = asked else { return }
        try compare(request)
        let receipt = try signing.carryOut(request)
        if options.json {
            Output.line(Printable.json(["key": .string(key), "receipt": receipt.json]))
        } else {
            Output.line(
                "\(key) \(verb == .add ? "is an associate now" : "is no associate any more"), signed by \(request.signatures.count)"
            )
            Output.line(receipt.line)
        }
    }

    private func arguments(_ verb: SignedRequest.Verb, _ associates: Associates) throws(LedgerError) -> JSONObject {
        let named: ActorKey
        do throws(ActorKeyFault) { named = try ActorKey(key) } catch {
            throw LedgerError(.refused, "\(AssociateObjection.key(key, error))")
        }
        let threshold = threshold ?? associates.threshold
        return verb == .add
            ? SignedRequest.addition(of: named, threshold: threshold, reason: reason ?? "an associate is added")
            : SignedRequest.removal(of: named, threshold: threshold, reason: reason ?? "an associate is removed")
    }

    /// Whoever carries it out says once more what it is about.
    private func compare(_ request: SignedRequest) throws(LedgerError) {
        guard request.arguments["key"]?.string == key else {
            throw LedgerError(
                .refused,
                "the request was signed for the key \(request.arguments["key"]?.string ?? "of nobody"), and not for \(key); nothing was recorded"
            )
        }
        if let threshold, request.arguments["threshold"]?.integer != Int64(threshold) {
            throw LedgerError(.refused, "the request was signed for another --threshold than \(threshold); nothing was recorded")
        }
    }
}
