import Kernel
import LedgerFormat

/// What is handed to a rule, which reads no clock and draws no random number itself.
public struct Moment: Sendable {
    /// In whose name it is decided: `kind:name`.
    public let actor: String
    /// The wall clock, which may step back, in microseconds since 1970-01-01T00:00:00Z.
    public let now: Int64
    /// The latest time of any entry so far, in the same unit.
    public let latest: Int64
    /// The last entry's seq: what the rule has seen.
    public let seq: UInt64
    /// 64 unpredictable bits.
    public let random: UInt64

    init(_ moment: Kernel.Moment) {
        actor = moment.actor
        now = moment.now.microseconds
        latest = moment.latest.microseconds
        seq = moment.seq
        random = moment.random
    }
}

/// What a rule wants: events that become durable together or not at all, and a reply.
public struct Decision<Reply: Sendable>: Sendable {
    /// None if there is nothing to record.
    public var events: [Event]
    /// What the caller is told once they are durable.
    public var reply: Reply

    /// - Parameter events: in the order in which they are to be recorded.
    public init(_ events: [Event], reply: Reply) {
        self.events = events
        self.reply = reply
    }
}

extension Decision where Reply == Void {
    /// Events, and nothing else to tell.
    public init(_ events: [Event]) { self.init(events, reply: ()) }
}
