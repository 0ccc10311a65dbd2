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

    @Argument(help: ArgumentHelp("The public key, in 64 hexadecimal digits.", valueName: "key"))
    var key: String

    @Option(help: ArgumentHelp("How many must sign from then on (default: as many as now).", valueName: "m"))
    var threshold: Int?

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason = "an associate is added"

    @OptionGroup var requests: RequestOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        try AssociateChange(
            verb: .add, key: key, threshold: threshold, reason: reason, requests: requests, writer: writer, options: options
        )
        .run()
    }
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

    @Argument(help: ArgumentHelp("The public key, in 64 hexadecimal digits.", valueName: "key"))
    var key: String

    @Option(help: ArgumentHelp("How many must sign from then on (default: as many as now).", valueName: "m"))
    var threshold: Int?

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason = "an associate is removed"

    @OptionGroup var requests: RequestOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        try AssociateChange(
            verb: .remove, key: key, threshold: threshold, reason: reason, requests: requests, writer: writer, options: options
        ).run()
    }
}

/// One key more or less: what both verbs do.
private struct AssociateChange {
    let verb: SignedRequest.Verb
    let key: String
    let threshold: Int?
    let reason: String
    let requests: RequestOptions
    let writer: WriterOptions
    let options: LedgerOptions

    func run() throws {
        let (associates, ledger, time) = try LedgerView.asking(try options.storage()) { view throws(LedgerError) in
            guard let associates = try view.actors().associates, let ledger = view.ledger else {
                throw LedgerError(.refused, "\(AssociateObjection.nobody)")
            }
            return (associates, ledger, view.lastTime(.system))
        }
        let request = try requests.request { () throws(LedgerError) in try new(associates, ledger, time) }
        if let objection = request.objection(as: verb) { throw LedgerError(.refused, "\(objection); nothing was recorded") }
        guard requests.isSigned else {
            requests.ask(request, associates, options, for: "bulla associate \(verb == .add ? "add" : "remove") \(key)")
            return
        }
        try compare(request)
        let receipt = try carryOut(request)
        if options.json {
            Output.line(Printable.json(["key": .string(key), "receipt": receipt.json]))
        } else {
            Output.line(
                "\(key) \(verb == .add ? "is an associate now" : "is no associate any more"), signed by \(request.signatures.count)"
            )
            Output.line(receipt.line)
        }
    }

    private func new(_ associates: Associates, _ ledger: LedgerID, _ time: Timestamp?) throws(LedgerError) -> SignedRequest {
        do throws(ActorKeyFault) { _ = try ActorKey(key) } catch {
            throw LedgerError(.refused, "\(AssociateObjection.key(key, error))")
        }
        guard let key = try? ActorKey(key) else { preconditionFailure("the key was read a moment ago") }
        let arguments =
            verb == .add
            ? SignedRequest.addition(of: key, threshold: threshold ?? associates.threshold, reason: reason)
            : SignedRequest.removal(of: key, threshold: threshold ?? associates.threshold, reason: reason)
        let request = try requests.new(verb, arguments, associates, in: ledger, behind: time)
        // What could not be carried out, nobody needs to sign.
        if let objection = associates.objectionToChange(of: request) { throw LedgerError(.refused, "\(objection)") }
        return request
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

    private func carryOut(_ request: SignedRequest) throws -> Receipt {
        var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
        let result = Result { () throws(LedgerError) in
            try session.acquire()
            defer { session.release() }
            return try session.carryOut(request, as: verb)
        }
        session.sayNotices()
        return try result.get()
    }
}
