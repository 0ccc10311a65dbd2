import ArgumentParser
import Ledger
import LedgerFormat

struct RepairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .repair,
        abstract: "Mend a damaged ledger, or release a whole one from alert; no byte is lost.",
        discussion: """
            Without --yes the plan is shown, and nothing is changed. With it a sound ledger is built beside: the verified entries as they are, \
            an entry that names what is missing, and every sound entry from behind the damage, re-admitted. Then the two change places, and \
            the damaged one is kept in quarantine/, whole. Back up the directory before, and find out what happened. Where the ledger has \
            associates, it stays locked until they sign bulla alert release. A removal or a constitution whose entry is lost counts all the \
            same if its request is left in the damaged bytes, or is given with --request. Where nothing sound says whether there were associates, \
            name them as they were, with --associate and --threshold, or say --without-associates.

            Where a ledger begins behind an archive, an entry says so. If that one is damaged, give the archive's directory with --archive, \
            and each earlier one: they are verified, and the repair records anew what went, with the state behind it. Without them what \
            was archived counts as lost.

            Examples:
              bulla repair
              bulla repair --archive /mnt/archive/ledger
              bulla repair --yes --reason "the disk was replaced" --root-cause "a dying disk"
            """)

    @Flag(help: "Do it.")
    var yes = false

    @Option(help: ArgumentHelp("Why it is repaired now.", valueName: "text"))
    var reason = Self.reason

    @Option(help: ArgumentHelp("What caused the damage, if that is known.", valueName: "text"))
    var rootCause: String?

    @Option(help: ArgumentHelp("What is learnt from it.", valueName: "text"))
    var lesson: String?

    @Option(
        help: ArgumentHelp(
            "This key's file is gone for good: give up what only it can prove (may be repeated).", valueName: "key"))
    var gone: [String] = []

    @Option(
        help: ArgumentHelp(
            "What associates signed before, whose entry is lost: it removes a key, adopts a constitution, or was a release (may be repeated).",
            valueName: "file"))
    var request: [String] = []

    @Option(
        help: ArgumentHelp(
            "An associate's public key, where nothing sound says any more who they were (may be repeated).", valueName: "key"))
    var associate: [String] = []

    @Option(help: ArgumentHelp("How many of these must sign (default: more than half of them).", valueName: "m"))
    var threshold: Int?

    @Flag(help: "Where nothing sound says whether there were associates: from now on nobody has to sign.")
    var withoutAssociates = false

    @Flag(help: "Associates who were removed may sign again, where nothing that is left proves who came after them.")
    var withRemoved = false

    @Option(help: ArgumentHelp("Give up after so many damages.", valueName: "n"))
    var maxSkips = 100

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard (1...100_000).contains(maxSkips) else { throw ValidationError("--max-skips takes 1 to 100000") }
        guard associate.isEmpty || !withoutAssociates else {
            throw ValidationError("--associate names who signs, and --without-associates says that nobody does: give one of them")
        }
        if threshold != nil, associate.isEmpty {
            throw ValidationError("--threshold says how many of the keys given with --associate must sign")
        }
        for text in gone where KeyID(text) == nil {
            throw ValidationError("--gone takes a key's id, 16 digits as in bulla key list")
        }
        // All of it must fit into one entry, where a control character takes six bytes.
        for (name, text) in [("reason", reason), ("root-cause", rootCause ?? ""), ("lesson", lesson ?? "")]
        where text.utf8.count > Self.textByteCountMax {
            throw ValidationError("--\(name) takes \(Self.textByteCountMax) bytes at most, and this one has \(text.utf8.count)")
        }
    }

    private static let reason = "the ledger is repaired"
    private static let textByteCountMax = 4 << 10

    func run() throws {
        var repair = Repair(.system, writer.settings, anchor: options.anchor)
        repair.skipCountMax = maxSkips
        repair.reason = reason
        repair.rootCause = rootCause
        repair.lesson = lesson
        repair.goneKeys = Set(gone.compactMap { KeyID($0) })
        repair.naming = try naming()
        repair.acceptsRemoved = withRemoved
        for file in request { repair.requests.append(try RequestFile(file).request()) }
        if !archives.archive.isEmpty {
            repair.recover = { [archives] view throws(LedgerError) in
                try archives.recovery(of: view) { Output.error("bulla: \(Printable.text($0))") }
            }
        }
        let storage = try options.storage()
        guard yes else {
            let plan: RepairPlan
            switch try repair.prospect(storage) {
            case .mend(let found): plan = found
            case .finish(let receipt, let evidence):
                showInterrupted(receipt, evidence)
                Output.exit(ErrorCode.tampered.rawValue)
            }
            show(plan, nil)
            // Who finds damage says so; a plan is no repair.
            if plan.replacesLedger || plan.contradictsHead || plan.validHead == nil || plan.anchorMessage != nil {
                Output.exit(ErrorCode.tampered.rawValue)
            }
            if plan.isNeeded || plan.awaitsRelease { Output.exit(ErrorCode.locked.rawValue) }
            return
        }
        let outcome = try repair.run(storage)
        for notice in outcome.notices { Output.error("bulla: \(Printable.text(notice))") }
        show(outcome.plan, outcome)
        if outcome.anchorMessage != nil { Output.exit(ErrorCode.tampered.rawValue) }
        if outcome.plan?.awaitsRelease == true { Output.exit(ErrorCode.locked.rawValue) }
    }

    /// What is said of associates, where nothing sound says it.
    private func naming() throws(LedgerError) -> RepairPlan.Naming? {
        guard !associate.isEmpty else { return withoutAssociates ? .nobody : nil }
        let keys = try ActorKey.named(associate, otherwise: "nothing was changed")
        do throws(AssociateObjection) {
            return try .init(keys, threshold: threshold ?? Associates.majority(of: keys.count))
        } catch {
            throw LedgerError(.refused, "\(error); nothing was changed")
        }
    }

    /// The command that does what is shown, for the same ledger.
    var command: String {
        var words = ["bulla", "repair", "--yes"]
        for (option, values) in [
            ("--archive", archives.archive), ("--gone", gone), ("--request", request),
            ("--max-skips", maxSkips == 100 ? [] : [String(maxSkips)]),
            ("--reason", reason == Self.reason ? [] : [reason]), ("--root-cause", [rootCause].compactMap(\.self)),
            ("--lesson", [lesson].compactMap(\.self)), ("--associate", associate),
            ("--threshold", [threshold].compactMap { $0.map { String($0) } }), ("--ledger", [options.ledger].compactMap(\.self)),
        ] {
            for value in values { words += [option, Checkup.word(value)] }
        }
        if withoutAssociates { words.append("--without-associates") }
        if withRemoved { words.append("--with-removed") }
        return words.joined(separator: " ")
    }
}
