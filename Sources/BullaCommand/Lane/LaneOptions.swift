import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger
import LedgerFormat

/// In whose name a lane's entry is written, and why.
struct LaneActorOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Who does it, as kind:name.", valueName: "kind:name"))
    var actor: String

    @Option(help: ArgumentHelp("Why it is done.", valueName: "text"))
    var reason: String?

    @OptionGroup var signing: SignerOptions
}

/// Of which run it is, for who reads it later.
struct LaneRunOptions: ParsableArguments {
    @Option(name: .customLong("loop-ts"), help: ArgumentHelp("The run's name in the journal.", valueName: "text"))
    var loopTS: String?

    @Option(name: .customLong("run-id"), help: ArgumentHelp("The run's id.", valueName: "text"))
    var runID: String?

    func evidence(_ reason: String) -> LaneEvidence {
        LaneEvidence(host: HostFacts.name, loopTS: loopTS ?? "", runID: runID, reason: reason)
    }
}

/// The right to a lease.
struct LaneRightOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The lease's id, as acquire printed it.", valueName: "id"))
    var lease: LeaseID

    @Option(help: ArgumentHelp("Its token, as acquire printed it.", valueName: "n"))
    var token: UInt64

    var right: LeaseRight { LeaseRight(id: lease, token: token) }
}

/// The same where it may be left out.
struct LaneOptionalRightOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A lease's id: it is that lease's progress.", valueName: "id"))
    var lease: LeaseID?

    @Option(help: ArgumentHelp("Its token.", valueName: "n"))
    var token: UInt64?

    func validate() throws {
        guard (lease == nil) == (token == nil) else { throw ValidationError("--lease and --token are given together") }
    }

    var right: LeaseRight? {
        guard let lease, let token else { return nil }
        return LeaseRight(id: lease, token: token)
    }
}

/// A pattern list.
struct LaneTreeOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Paths, several times: ** for any components, * and ? within one.", valueName: "pattern"))
    var tree: [String] = []

    /// Nil if none is given.
    func parsed() throws(LedgerError) -> Tree? {
        guard !tree.isEmpty else { return nil }
        guard tree.count <= Tree.globCountMax else {
            throw LedgerError(.usage, "a tree has \(Tree.globCountMax) patterns at most; write wider ones")
        }
        var globs: [Glob] = []
        for text in tree {
            do throws(GlobError) { globs.append(try Glob(text)) } catch {
                throw LedgerError(.usage, "the pattern \"\(text)\" is refused: \(error)")
            }
        }
        return Tree(globs)
    }
}

extension LeaseID: ExpressibleByArgument {
    /// Reads 16 lower-case hexadecimal digits.
    public init?(argument: String) { self.init(argument) }
}

extension Label: ExpressibleByArgument {
    /// Reads a name.
    public init?(argument: String) { self.init(argument) }
}

extension LaneKind: ExpressibleByArgument {}
extension AttemptOutcome: ExpressibleByArgument {}
extension Intervention: ExpressibleByArgument {}

extension TimeSpan {
    static func parsed(_ text: String, _ option: String) throws(LedgerError) -> Int64 {
        guard let span = microseconds(text) else {
            throw LedgerError(
                .usage,
                "\(option) takes a length of time above 0 and up to 3650d, such as 500ms, 90s, 20m or 2h, and not \"\(text)\"")
        }
        return span
    }
}

extension LedgerOptions {
    /// Decides on lanes.
    func decide<Reply>(
        _ author: LaneActorOptions, _ writer: WriterOptions, _ rule: (Lanes, Moment) throws(LedgerError) -> Decision<Reply>
    ) throws(LedgerError) -> Decided<Reply> {
        var decider = try Decider(self, writer, author.signing)
        decider.snapshotInterval = Self.laneSnapshotInterval
        defer { decider.sayNotices() }
        return try decider.decide(on: Lanes.self, as: author.actor, rule)
    }

    /// The same for what is only recorded: its receipt is the answer.
    func record(
        _ author: LaneActorOptions, _ writer: WriterOptions, _ rule: (Lanes, Moment) throws(LedgerError) -> Decision<Void>
    ) throws(LedgerError) {
        let decided = try decide(author, writer, rule)
        for receipt in decided.receipts {
            Output.line(json ? Printable.json(["receipt": receipt.json]) : receipt.line)
        }
    }

    /// A lane is taken in between other work, and the state of lanes is small.
    static let laneSnapshotInterval: UInt64 = 1000

    /// The lanes as they are now, read without the lock.
    func lanes() throws(LedgerError) -> Fold<Lanes> { try StateReading<Lanes>(try storage()).fold }
}
