import CanonicalJSON
import Kernel
import LedgerFormat

/// State that is folded from the ledger's entries: one value, the same wherever the same entries are folded.
///
/// `apply` is pure: it reads no clock, draws no random number and opens no file. The value is `Codable`, so that a snapshot can hold it
/// and a long ledger needs not be folded from its beginning; whole numbers beyond ±2^53 cannot be coded.
public protocol Projection: Codable, Sendable {
    /// What its snapshots are called: 1 to 64 of a–z, 0–9 and _.
    static var name: String { get }
    /// Raised whenever the same entries would be folded to something else, or the value is coded otherwise: older snapshots then do not count.
    static var version: Int { get }
    /// The first words of the actions that it folds, such as `deploy` for `deploy.start`; entries of others are not shown to it.
    static var namespaces: [String] { get }

    /// The state before the first entry.
    init()
    mutating func apply(_ event: RecordedEvent)
}

/// A program's projection as the kernel knows it; its name cannot be one of the house's own.
struct ProgramState<State: Projection>: Kernel.Projection {
    static var name: String { "program_" + State.name }
    static var version: Int { State.version }
    static var namespaces: [String] { State.namespaces }

    private(set) var state = State()

    init() {}

    init(from decoder: any Decoder) throws { state = try State(from: decoder) }
    func encode(to encoder: any Encoder) throws { try state.encode(to: encoder) }

    mutating func apply(_ fact: Fact) { state.apply(RecordedEvent(fact)) }
}

extension RecordedEvent {
    init(_ fact: Fact) {
        seq = fact.seq
        microseconds = fact.time.microseconds
        actor = fact.actor
        action = fact.action
        reason = fact.reason
        body = fact.body.canonicalBytes()
    }
}
