import CanonicalJSON
import PlantedDefects

/// Why an entry does not count as its actor's.
package enum ActorObjection: Error, Sendable, Equatable {
    /// It is signed, and nobody is enrolled under that name.
    case nobody(String)
    case unsigned(String)
    case revoked(String, by: UInt64)
    case withoutID(String)
    case withoutBase(String)
    /// The base is too old, so that the ids since then are forgotten; or there was no such entry yet.
    case base(String, UInt64, before: UInt64)
    case signature(String)
}

extension ActorObjection: CustomStringConvertible {
    package var description: String {
        switch self {
        case .nobody(let actor): "the draft is signed, and nobody is enrolled as \(actor) in this ledger"
        case .unsigned(let actor): "\(actor) is enrolled, and only who has its key speaks in its name: the signature is missing"
        case .revoked(let actor, let seq): "the key of \(actor) was revoked by entry \(seq): nobody speaks in its name"
        case .withoutID(let actor): "a signed draft of \(actor) needs an id, without which it could be played again"
        case .withoutBase(let actor): "a signed draft of \(actor) needs a base, the seq that its writer had seen"
        case .base(let actor, let base, let before):
            base > before
                ? "the signed draft of \(actor) has the base \(base), and the last entry before it is \(before)"
                : "the signed draft of \(actor) has the base \(base), more than \(ActorRoster.baseDistanceMax) below the last entry, \(before): "
                    + "it may have been recorded before; if it was not, sign it anew"
        case .signature(let actor): "the signature is not that of \(actor) over this ledger, draft and context"
        }
    }
}

extension ActorRoster {
    /// A signed draft may have been made so many entries ago; for so long its id is known.
    package static let baseDistanceMax: UInt64 = 10_000

    /// What is wrong with a frame's signature for an entry with the frame's seq; nil if nothing is, or none is asked for.
    package func objection(to frame: FrameView, in bytes: Span<UInt8>) -> ActorObjection? {
        switch standing(of: bytes.extracting(frame.actor), at: frame.seq) {
        case .free: return nil
        case .revoked(let enrolment): return .revoked(enrolment.actor, by: enrolment.revoked)
        case .enrolled(let enrolment):
            let parts = SignedText.Parts(
                action: frame.action, actor: frame.actor, body: frame.body, pillar: frame.pillar, reason: frame.reason)
            guard let context = (try? JSON(parsing: bytes.extracting(frame.context)))?.object else {
                preconditionFailure("a view's context is a canonical object")
            }
            return Self.objection(
                to: context, by: enrolment, before: frame.seq - UInt64(frame.part?.index ?? 1),
                SignedText.bytes(of: parts, in: bytes, context: context, frame.ledger(in: bytes)))
        }
    }

    /// The same for a draft of a decision that is to follow an entry.
    package func objection(to draft: Draft, behind tip: ChainTip) -> ActorObjection? {
        switch standing(of: draft.actor, at: tip.seq + 1) {
        case .free: return draft.isSigned ? .nobody(draft.actor) : nil
        case .revoked(let enrolment): return .revoked(enrolment.actor, by: enrolment.revoked)
        case .enrolled(let enrolment):
            return Self.objection(to: draft.contextObject, by: enrolment, before: tip.seq, draft.signedText(in: tip.ledger))
        }
    }

    private static func objection(
        to context: JSONObject, by enrolment: Enrolment, before: UInt64, _ text: @autoclosure () -> [UInt8]
    ) -> ActorObjection? {
        let actor = enrolment.actor
        guard let sign = context["sign"]?.string else { return planted(.unsignedAccepted) ? nil : .unsigned(actor) }
        guard context["id"]?.string != nil else { return .withoutID(actor) }
        guard let base = context["base"]?.seq else { return .withoutBase(actor) }
        guard base <= before, before - base <= baseDistanceMax || planted(.oldBaseAccepted) else {
            return .base(actor, base, before: before)
        }
        guard let signature = ActorSignature(sign),
            enrolment.key.accepts(signature, of: text()) || planted(.actorSignatureUnchecked)
        else { return .signature(actor) }
        return nil
    }
}
