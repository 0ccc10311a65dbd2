import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat

/// Folds a projection for a verb that only reads.
struct StateReading<State: Projection> {
    let fold: Fold<State>
    let snapshotSeq: UInt64?

    /// - Parameter point: where to end; nil for the tip.
    init(_ storage: any Storage, at point: Point? = nil) throws(LedgerError) {
        let (reading, notices) = try LedgerView.asking(storage) { view throws(LedgerError) in try Self.read(view, at: point) }
        for notice in notices { Output.error("bulla: \(Printable.text(notice))") }
        self = reading
    }

    private init(fold: Fold<State>, snapshotSeq: UInt64?) { (self.fold, self.snapshotSeq) = (fold, snapshotSeq) }

    private static func read(_ view: LedgerView, at point: Point?) throws(LedgerError) -> (Self, notices: [String]) {
        let environment = Environment.system
        let end = try point?.end(in: view, environment) ?? .tip
        let found = try FoundFold<State>(in: view, to: end, environment)
        var notices = found.notices
        var fold = found.fold
        do throws(LedgerError) { try fold.advance(in: view, to: end, environment) } catch {
            // Of the last archived entry the ledger has the state only, and no entry by which it could be named.
            guard error.code == .tampered, fold.seq >= view.firstSeq else { throw error }
            throw LedgerError(.tampered, "\(error.message); what was before can be had with --at \(fold.seq)", at: error.place)
        }
        if case .time(let time) = point, fold.seq == 0 {
            throw LedgerError(.refused, "there is no entry as early as \(time): the ledger begins later")
        }
        if point == nil, let head = view.validHead, fold.seq > head.seq {
            notices.append("HEAD does not vouch yet for what follows seq \(head.seq): that part of the state is unsettled")
        }
        return (Self(fold: fold, snapshotSeq: found.snapshotSeq), notices)
    }
}

extension Point: ExpressibleByArgument {
    /// Reads what `--at` and `--to` take.
    public init?(argument: String) { self.init(argument) }
}

extension JSONPointer: ExpressibleByArgument {
    /// Reads RFC 6901 text.
    public init?(argument: String) {
        guard let pointer = try? JSONPointer(parsing: argument) else { return nil }
        self = pointer
    }
}

/// In whose name state is changed, and why.
struct ChangeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Who does it, as kind:name.", valueName: "kind:name"))
    var actor: String

    @Option(help: ArgumentHelp("sovereignty, integrity, resilience or evolution.", valueName: "pillar"))
    var pillar = Justification.Pillar.evolution

    @Option(help: ArgumentHelp("Why it is done.", valueName: "text"))
    var reason = "the state is changed"

    @Option(
        help: ArgumentHelp(
            "The last entry that you had seen (`seq` of `bulla state get --json`): what came since is merged, or the higher class counts.",
            valueName: "seq"))
    var base: UInt64?

    @Option(help: ArgumentHelp("A place that the change builds on, with --base; may be repeated.", valueName: "pointer"))
    var reads: [JSONPointer] = []

    @OptionGroup var signing: SignerOptions

    func validate() throws {
        if base == 0 { throw ValidationError("--base takes a seq, and the first one is 1") }
        if !reads.isEmpty, base == nil { throw ValidationError("--reads needs --base: the entry at which it was read") }
    }

    var justification: Justification { Justification(pillar, reason) }
}

extension Justification.Pillar: ExpressibleByArgument {}

extension Decider {
    /// For one verb.
    init(_ options: LedgerOptions, _ writer: WriterOptions, _ signing: SignerOptions? = nil) throws(LedgerError) {
        var settings = writer.settings
        settings.signer = try signing?.signer()
        self.init(try options.storage(), .system, settings, anchor: options.anchor)
    }

    /// Tells what happened that is no error.
    mutating func sayNotices() {
        for notice in takeNotices() { Output.error("bulla: \(Printable.text(notice))") }
    }
}
