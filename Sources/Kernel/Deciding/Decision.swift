package import CanonicalJSON
package import Ledger
package import LedgerFormat

/// What is handed to a rule, which reads no clock and draws no random number itself.
package struct Moment: Sendable {
    /// In whose name it is decided: `kind:name`.
    package var actor: String
    /// The wall clock, which may step back.
    package var now: Timestamp
    /// The clock of this boot, which never steps.
    package var boot: BootTime
    /// The latest time of any entry so far.
    package var latest: Timestamp
    /// The last entry's seq: what the rule has seen.
    package var seq: UInt64
    /// 64 unpredictable bits.
    package var random: UInt64

    package init(actor: String, now: Timestamp, boot: BootTime, latest: Timestamp, seq: UInt64, random: UInt64) {
        self.actor = actor
        self.now = now
        self.boot = boot
        self.latest = latest
        self.seq = seq
        self.random = random
    }

    /// A draft in the actor's name.
    ///
    /// - Throws: `usage` for what no draft can hold.
    package func draft(
        _ action: String, _ justification: Justification, _ body: JSONObject, _ context: JSONObject = [:]
    ) throws(LedgerError) -> Draft {
        do throws(DraftError) {
            return try Draft(
                action: action, actor: actor, justification: justification, body: .object(body), context: context)
        } catch {
            throw LedgerError(.usage, error.description)
        }
    }
}

/// What a rule wants: entries that become durable together or not at all, effects that come after them, and a reply.
package struct Decision<Reply: Sendable>: Sendable {
    /// None if there is nothing to record.
    package var drafts: [Draft]
    package var effects: [Effect]
    package var reply: Reply

    package init(_ drafts: [Draft], effects: [Effect] = [], reply: Reply) {
        self.drafts = drafts
        self.effects = effects
        self.reply = reply
    }
}

extension Decision where Reply == Void {
    package init(_ drafts: [Draft], effects: [Effect] = []) { self.init(drafts, effects: effects, reply: ()) }
}

/// What a decision led to.
package struct Decided<Reply: Sendable>: Sendable {
    package var reply: Reply
    /// One a draft of the rule's, in their order.
    package var receipts: [Receipt]
    /// The drafts were recorded before, under the same ids.
    package var isRepetition: Bool
    /// What the drafts took from others' events.
    package var overrode: [Collision]
    /// One an effect, in their order.
    package var results: [Effect.Result]
}
