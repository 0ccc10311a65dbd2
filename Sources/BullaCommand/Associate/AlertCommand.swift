import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct AlertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .alert,
        abstract: "Look why the house is locked, and release it with the associates' signatures.",
        discussion: """
            Example:
              bulla alert status
            """,
        subcommands: [AlertStatusCommand.self, AlertReleaseCommand.self])
}

struct AlertStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Tell whether the house is locked, why, and what opens it.",
        discussion: """
            Of a locked house the whole ledger is verified. The code is 21 if it is locked, and 10 if it is damaged too.

            Example:
              bulla alert status
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let view = try LedgerView(try options.storage())
        let ledger = Checkup.word(options.path)
        guard case .success(let head) = view.head else {
            throw LedgerError(
                .tampered,
                "HEAD is missing or wrong, so that nothing says whether the house is locked: `bulla repair --yes --ledger \(ledger)`"
            )
        }
        let cause = AlertCause(of: view)
        guard head.alert else {
            show(isRaised: false, nil, nil, "no alert is raised")
            return
        }
        var code = ErrorCode.locked
        var advice: String
        var associates: Associates?
        do throws(LedgerError) {
            let house = try AlertRelease(.system).standing(view)
            associates = house.associates
            advice =
                house.receipt == nil
                ? "\(house.associates.isSuspended ? "the repair in entry \(house.associates.act.seq) says what happened; " : "")the ledger is whole up to seq \(house.tip.seq): \(house.associates.threshold) of \(house.associates.signers.count) associates "
                    + "release it, with bulla alert release --ledger \(ledger)"
                : "entry \(house.tip.seq) releases it, and only HEAD does not say so: bulla alert release --ledger \(ledger)"
        } catch {
            if error.code == .tampered { code = .tampered }
            advice = error.message
        }
        show(isRaised: true, cause, associates, advice)
        Output.exit(code.rawValue)
    }

    private func show(isRaised: Bool, _ cause: AlertCause?, _ associates: Associates?, _ advice: String) {
        if options.json {
            Output.line(
                Printable.json([
                    "advice": .string(advice), "alert": .bool(isRaised), "cause": cause.map { .string($0.text) } ?? .null,
                    "raised": cause.map { .string($0.time.description) } ?? .null,
                    "signatures": associates.map { .number(Double($0.threshold)) } ?? .null,
                ]))
            return
        }
        if isRaised { Output.line("the alert is RAISED: nothing is written until it is released") }
        if let cause { Output.line(Printable.text("it was raised at \(cause.time), because: \(cause.text)")) }
        Output.line(Printable.text(advice))
    }
}

struct AlertReleaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release",
        abstract: "Open a locked house whose ledger is whole, with the signatures of M associates.",
        discussion: """
            Without signatures it prints the request. It names the last entry, so that it opens no other alert, all associates, who are \
            signed anew by it, and the constitution that holds behind it, by the digest that bulla constitution show tells. A damaged ledger \
            is repaired first; one without associates is released by its repair.

            Examples:
              bulla alert release --reason "the disk was replaced" > request
              bulla alert release --signed ada.json --signed bob.json
            """)

    @Option(help: ArgumentHelp("Why it may be opened.", valueName: "text"))
    var reason = "the ledger is whole, and the house may be opened"

    @OptionGroup var requests: RequestOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let release = AlertRelease(.system, writer.settings, anchor: options.anchor)
        let storage = try options.storage()
        let house = try release.standing(try LedgerView(storage))
        let request = try requests.request { () throws(LedgerError) in
            try requests.new(
                .release, SignedRequest.release(of: house.associates, behind: house.tip.hash, reason: reason), house.associates,
                in: house.ledger, behind: house.tip.time)
        }
        if house.receipt == nil, requests.asksForSignatures, !options.json { tell(house.associates, storage) }
        if house.receipt == nil, !requests.isSigned {
            requests.ask(request, house.associates, options, for: "bulla alert release")
            return
        }
        let outcome = try release.run(storage, house.receipt == nil ? request : nil)
        for notice in outcome.notices { Output.error("bulla: \(Printable.text(notice))") }
        show(outcome)
        if outcome.anchorMessage != nil { Output.exit(ErrorCode.tampered.rawValue) }
    }

    /// What those who sign it now let hold behind it.
    private func tell(_ associates: Associates, _ storage: any Storage) {
        guard let constitution = associates.constitution else {
            return Output.error("bulla: behind it the standard articles hold: no constitution is adopted")
        }
        Output.error(
            Printable.text(
                "bulla: behind it the constitution \(constitution.articles.digest) holds, \(constitution.account(storage)); "
                    + "`bulla constitution show` prints it"))
    }

    private func show(_ outcome: AlertRelease.Outcome) {
        let receipt = outcome.receipt
        if options.json {
            let objection: JSON = outcome.anchorMessage.map { .string($0) } ?? .null
            Output.line(Printable.json(["anchor": objection, "receipt": receipt.json, "released": true]))
            return
        }
        let isOpen = outcome.anchorMessage == nil
        Output.line("released: seq \(receipt.seq) says who signed\(isOpen ? "; the house is open" : "")")
        Output.line(receipt.line)
        if let message = outcome.anchorMessage { Output.line(Printable.text("but \(message)")) }
    }
}
