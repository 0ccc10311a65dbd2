import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat

struct AnchorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .anchor,
        abstract: "Show what was seen of the ledger before, or accept that it stepped back.",
        discussion: """
            The highest entry seen is kept outside the ledger, in the folder anchors of $BULLA_STATE_DIR, else of bulla in \
            $XDG_STATE_HOME or ~/.local/state. A writer and `bulla verify` compare: whoever puts an older state of the ledger back is \
            noticed. BULLA_ANCHOR=off keeps none.

            Examples:
              bulla anchor show
              bulla anchor accept --reason "restored Monday's backup after the disk failed"
            """,
        subcommands: [AnchorShowCommand.self, AnchorAcceptCommand.self])
}

struct AnchorShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Tell where this ledger was seen, and how far.",
        discussion: """
            Example:
              bulla anchor show
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let folder = try options.requiredAnchor()
        let storage = try options.storage()
        guard let watch = try AnchorWatch(folder, storage) else {
            throw LedgerError(.tampered, "the ledger at \(options.path) does not say which one it is; `bulla verify` says more")
        }
        let view = try LedgerView(storage)
        let (firstSeq, lastSeq) = (view.firstSeq, try EntryReader(view, .system).lastSeq())
        let verdict = try watch.verdict(lastSeq: lastSeq, .system)
        let ledger = watch.ledger
        let sightings: [Anchor.Sighting]
        if case .found(let anchor) = watch.finding { sightings = anchor.sightings } else { sightings = [] }
        if options.json {
            Output.line(
                Printable.json([
                    "folder": .string(folder.description), "here": .string(folder.here.text),
                    "ledger": .string(ledger.description),
                    "message": verdict.message(ledger: options.path).map { .string($0) } ?? .null,
                    "places": .array(sightings.map { $0.json }), "verdict": .string(verdict.word),
                ]))
        } else {
            Output.line("ledger \(ledger), anchors in \(Printable.text(folder.description))")
            for sighting in sightings {
                let mark = sighting.path == folder.here ? "  (here)" : ""
                let what = "seq \(Format.count(sighting.seq))  \(sighting.time)  \(sighting.hash.description.prefix(16))"
                Output.line("\(what)  \(Printable.text(sighting.path.text))\(mark)")
            }
            let isArchived = sightings.contains { $0.seq + 1 < firstSeq }
            let agreement = isArchived ? "the ledger agrees with what it still holds of it" : "the ledger agrees with all of it"
            Output.line(Printable.text(verdict.message(ledger: options.path) ?? agreement))
        }
        if case .alarm = verdict { Output.exit(ErrorCode.tampered.rawValue) }
    }
}

struct AnchorAcceptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Record that a step back of the ledger is meant, and go on from here.",
        discussion: """
            For after a restore. The entry names what was seen before and what counts now; nothing is done where nothing is wrong.

            Example:
              bulla anchor accept --reason "restored Monday's backup after the disk failed"
            """)

    @Option(help: ArgumentHelp("Why it stepped back.", valueName: "text"))
    var reason: String

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let folder = try options.requiredAnchor()
        var session = WriterSession(try options.storage(), .system, writer.settings)
        try session.acquire()
        let result = Result { () throws(LedgerError) in try session.accept(folder, reason: reason) }
        session.release()
        for notice in session.takeNotices() { Output.error("bulla: \(Printable.text(notice))") }
        let acceptance = try result.get()
        if options.json {
            Output.line(
                Printable.json([
                    "accepted": .array(acceptance?.objections.map { $0.sighting.json } ?? []),
                    "receipts": .array(acceptance?.receipts.map(\.json) ?? []),
                ]))
        } else if let acceptance {
            for (objection, receipt) in zip(acceptance.objections, acceptance.receipts) {
                Output.line(
                    "accepted: seq \(objection.sighting.seq) of \(Printable.text(objection.sighting.path.text)) counts no more")
                Output.line(receipt.line)
            }
        } else {
            Output.line("there is nothing to accept: the ledger did not step back")
        }
        if let failure = acceptance?.failure { throw LedgerError(.inputOutput, "recorded, but \(failure); repeat it") }
    }
}

extension LedgerOptions {
    /// Where anchors are kept, for verbs that are about nothing else.
    func requiredAnchor() throws(LedgerError) -> AnchorFolder {
        _ = try storage()
        guard let anchor else {
            throw LedgerError(.usage, "no anchors are kept: BULLA_ANCHOR is off, or BULLA_STATE_DIR is empty")
        }
        return anchor
    }
}

extension Anchor.Sighting {
    var json: JSON {
        var object = path.members()
        object["seq"] = .number(Double(seq))
        object["hash"] = .string(hash.description)
        object["segment"] = .number(Double(segment))
        object["offset"] = .number(Double(offset))
        object["time"] = .string(time.description)
        return .object(object)
    }
}
