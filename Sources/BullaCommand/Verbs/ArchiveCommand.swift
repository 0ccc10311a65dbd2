import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Lanes
import Ledger
import LedgerFormat

struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .archive,
        abstract: "Move old entries to another place, so that the ledger does not grow without end.",
        discussion: """
            Only whole segments move; the one that is written to does too, once it is ended, if all of it lies before. Without --yes it is \
            shown what would move, and nothing is changed. With it segments are copied to the directory and the copies verified; an entry \
            records them, with their digests and with the state behind them; only then the originals are removed. Whoever is interrupted \
            calls it again. `bulla verify --archive DIR` checks all of it, from the first entry on. The archive is as safe as its \
            directory: back it up.

            Examples:
              bulla archive --before 30d --to /mnt/archive/ledger
              bulla archive --before 800000 --to /mnt/archive/ledger --yes
            """)

    @Option(help: ArgumentHelp("What lies before this entry, or is older than 90s, 15m, 2h, 30d.", valueName: "seq|age"))
    var before: ArchiveBoundary

    @Option(help: ArgumentHelp("The archive's directory, outside the ledger; it is made if it is not there.", valueName: "dir"))
    var to: String

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason = "old entries are archived"

    @Flag(help: "Do it.")
    var yes = false

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if to.isEmpty { throw ValidationError("the archive's directory has no name") }
    }

    func run() throws {
        let environment = Environment.system
        let limit = before.limit(environment.now())
        let storage = try options.storage()
        try options.refuse(inside: to, "an archive")
        let plan = try LedgerView.asking(storage) { view throws(LedgerError) in
            let plan = try ArchivePlan(view, limit, environment)
            guard !plan.segments.isEmpty else { throw plan.refusal }
            try plan.checkRetention(in: view, environment)
            try plan.checkPatches(in: view, environment)
            try plan.checkStates(of: House.projections, in: view, environment)
            return plan
        }
        let place = ArchivePlace(to, of: storage)
        try place.check(plan)
        guard yes else { return show(plan) }
        let bar = ProgressBar("archive")
        var decider = try Decider(options, writer)
        let archived: Decider.Archived
        do throws(LedgerError) {
            defer { bar.finish() }
            archived = try decider.archive(
                limit, keeping: House.projections, to: try place.opened(),
                named: UserPlaces.resolved(to).map { PathText($0) } ?? PathText(Array(to.utf8)),
                reason: reason,
                members: { view, last throws(LedgerError) in try FollowPlaces(in: view, through: last).members },
                progress: { done, total in bar.update(done, of: total) })
        } catch {
            decider.sayNotices()
            throw error
        }
        decider.sayNotices()
        show(archived)
    }
}

// What is printed
extension ArchiveCommand {
    private func show(_ plan: ArchivePlan) {
        let segments = plan.segments
        if options.json {
            Output.line(
                Printable.json(json(segments[0].first, segments[segments.count - 1].last, segments.count, plan.byteCount, nil)))
            return
        }
        Output.line(
            "\(entries(segments[0].first, segments[segments.count - 1].last)) in \(count(segments.count)) "
                + "(\(Format.bytes(plan.byteCount))) would move to \(Printable.text(to))")
        if plan.endsActiveSegment {
            Output.line("the segment that is written to would be ended, and go too")
        } else {
            Output.line("the segment that begins at seq \(plan.stays) stays whole")
        }
        Output.line("nothing was changed; do it with --yes")
    }

    private func show(_ archived: Decider.Archived) {
        let statement = archived.statement
        if options.json {
            Output.line(
                Printable.json(
                    json(statement.first, statement.last, statement.segments.count, statement.byteCount, archived.receipt)))
            return
        }
        Output.line(
            "archived \(entries(statement.first, statement.last)) in \(count(statement.segments.count)) "
                + "(\(Format.bytes(statement.byteCount))) to \(Printable.text(to)), and verified the copies")
        Output.line("recorded: \(archived.receipt.line)")
        Output.line("the ledger begins at seq \(statement.last + 1) now; ids that were used before are forgotten")
    }

    private func entries(_ first: UInt64, _ last: UInt64) -> String { "entries \(Format.count(first)) to \(Format.count(last))" }

    private func count(_ segments: Int) -> String { "\(segments) segment\(segments == 1 ? "" : "s")" }

    private func json(_ first: UInt64, _ last: UInt64, _ segments: Int, _ bytes: Int, _ receipt: Receipt?) -> JSON {
        [
            "applied": .bool(receipt != nil), "bytes": .number(Double(bytes)), "directory": .string(to),
            "first": .number(Double(first)), "last": .number(Double(last)), "receipt": receipt?.json ?? .null,
            "segments": .number(Double(segments)),
        ]
    }
}

/// What the house itself folds: the state that stays when entries leave.
enum House {
    static let projections: [any Projection.Type] = [
        Documents.self, Effects.self, Lanes.self, Learning.self, Patches.self,
    ]
}

/// What `--before` takes.
enum ArchiveBoundary: ExpressibleByArgument {
    case seq(UInt64)
    /// In microseconds.
    case age(Int64)

    init?(argument: String) {
        if let seq = UInt64(argument), (1...Limits.seq).contains(seq) {
            self = .seq(seq)
        } else if let age = Age(argument) {
            self = .age(age.microseconds)
        } else {
            return nil
        }
    }

    func limit(_ now: Timestamp) -> ArchivePlan.Limit {
        switch self {
        case .seq(let seq): .seq(seq)
        case .age(let age): .time(Timestamp(microseconds: now.microseconds - age))
        }
    }
}

/// A length of time as users write it: 90s, 15m, 2h, 7d.
struct Age {
    let microseconds: Int64

    init?(_ text: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), (0...100_000_000).contains(count)
        else {
            return nil
        }
        microseconds = count * unit * 1_000_000
    }
}
