import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct PatchApproveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Apply a patch to its handbook, with the signatures of M associates.",
        discussion: """
            Without signatures it prints the request, which names the handbook, its text before and behind the patch, and the diff by their \
            SHA-256; it works once. Applied is only what was signed, in one step, and only if the handbook has not changed. Both texts are recorded.

            Examples:
              bulla patch approve 57 --reason "it happened three times" > request
              bulla patch approve 57 --signed ada.json --signed bob.json
            """)

    @OptionGroup var signed: SignedPatch

    func run() throws { try signed.run(.approvePatch) }
}

struct PatchRevertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revert",
        abstract: "Take an applied patch back, with the signatures of M associates: its handbook is what it was before.",
        discussion: """
            Only if the handbook is still what the patch left; otherwise propose what is to be taken back. An earlier text can be had with \
            bulla restore --handbook.

            Examples:
              bulla patch revert 57 --reason "it made things worse" > request
              bulla patch revert 57 --associate-key ada.key --associate-key bob.key
            """)

    @OptionGroup var signed: SignedPatch

    func run() throws { try signed.run(.revertPatch) }
}

/// What both verbs take and do.
struct SignedPatch: ParsableArguments {
    @Argument(help: ArgumentHelp("The patch.", valueName: "patch"))
    var patch: UInt64

    @Option(help: ArgumentHelp("Why (default: no more than what is done).", valueName: "text"))
    var reason: String?

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var signing: SignedVerbOptions

    fileprivate func run(_ verb: SignedRequest.Verb) throws {
        let options = signing.options
        let house = try ConstitutionHouse(options)
        _ = try house.associates()
        let shelf = options.shelf(house.actors.articles)
        var decider = try Decider(options, signing.writer)
        decider.archives = try archives.storages(of: house.ledger)
        defer { decider.sayNotices() }
        try decider.finishAndTell(shelf)
        try shelf.checkFolders(house.actors)
        let command = "bulla patch \(verb == .approvePatch ? "approve" : "revert") \(patch)"
        let asked = try signing.requests.signed(verb, house, options, for: command) { _ throws(LedgerError) in
            let patches = try StateReading<Patches>(try options.storage()).fold.state
            let change = try decider.wanted(verb, of: patch, in: patches, shelf)
            return change.arguments(
                reason: reason ?? (verb == .approvePatch ? "the patch is approved" : "the patch is taken back"))
        }
        guard let request = asked else { return }
        // Whoever carries it out says once more what it is about.
        guard request.handbookChange?.proposal == patch else {
            let other = request.handbookChange.map { "patch \($0.proposal)" } ?? "no patch"
            throw LedgerError(.refused, "the request was signed for \(other), and not for patch \(patch); nothing was recorded")
        }
        let (act, end) = try decider.carryOut(request, as: verb, shelf)
        if let obstacle = end.obstacle {
            throw LedgerError(
                .inputOutput,
                "entry \(act.seq) says that patch \(patch) is signed, but its handbook was not changed: \(obstacle); mend that: the next "
                    + "`bulla patch` verb, or `bulla run`, does the rest")
        }
        show(verb, request, act, end)
    }

    private func show(_ verb: SignedRequest.Verb, _ request: SignedRequest, _ act: Receipt, _ end: Decider.PatchEnd) {
        if signing.options.json {
            Output.line(
                Printable.json([
                    "applied": end.receipt.map(\.json) ?? .null, "handbook": .string(end.handbook),
                    "patch": .number(Double(patch)), "receipt": act.json,
                ]))
            return
        }
        let what = verb == .approvePatch ? "is applied to" : "is taken back from"
        Output.line(Printable.text("patch \(patch) \(what) \(end.handbook), signed by \(request.signatures.count)"))
        Output.line(act.line)
    }
}
