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
    /// Its id was spent behind its base.
    case repeated(String, as: UInt64)
    /// It was taken over before it can have been recorded.
    case early(String, seq: UInt64)
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
        case .repeated(let actor, let seq):
            "the signed draft of \(actor) was recorded before: entry \(seq), behind its base, has its id, which counts once"
        case .early(let actor, let seq): "an entry of \(actor) is taken over with the seq \(seq), which is still to come"
        }
    }
}

extension ActorRoster {
    /// A signed draft may have been made so many entries ago; for so long its id is known.
    package static let baseDistanceMax: UInt64 = 10_000

    /// What is wrong in a frame with the signatures of whoever is enrolled: its own, and that of a frame in it which a repair has
    /// re-admitted as proven, and which counts as it did; nil if nothing is, or none is asked for.
    ///
    /// - Parameter ids: what earlier entries spent; what this one does is taken down there, if nothing is wrong.
    package func objection(to frame: FrameView, in bytes: Span<UInt8>, _ ids: inout SignedIDs) -> ActorObjection? {
        do throws(ActorObjection) {
            var uses: [SignedIDs.Use] = []
            if let use = try use(by: frame, in: bytes) { uses.append(use) }
            if let readmission = Readmission(frame, of: bytes), readmission.isProven,
                let use = try use(by: readmission.view, in: readmission.frame.span)
            {
                // Or what is recorded behind it would be older than it.
                guard use.seq < frame.seq || planted(.readmittedEarly) else { throw .early(use.actor, seq: use.seq) }
                uses.append(use)
            }
            if !uses.isEmpty { try ids.take(uses) }
            return nil
        } catch {
            return error
        }
    }

    /// What a frame was signed for, by who is enrolled for an entry with the frame's seq; nil if no signature is asked for.
    private func use(by frame: FrameView, in bytes: Span<UInt8>) throws(ActorObjection) -> SignedIDs.Use? {
        switch standing(of: bytes.extracting(frame.actor), at: frame.seq) {
        case .free: return nil
        case .revoked(let enrolment): throw .revoked(enrolment.actor, by: enrolment.revoked)
        case .enrolled(let enrolment):
            let parts = SignedText.Parts(
                action: frame.action, actor: frame.actor, body: frame.body, pillar: frame.pillar, reason: frame.reason)
            guard let context = (try? JSON(parsing: bytes.extracting(frame.context)))?.object else {
                preconditionFailure("a view's context is a canonical object")
            }
            return try Self.use(
                by: context, of: enrolment, seq: frame.seq, before: frame.seqBeforeDecision,
                SignedText.bytes(of: parts, in: bytes, context: context, frame.ledger(in: bytes)))
        }
    }

    /// What is wrong with the signature of a draft of a decision that is to follow an entry.
    package func objection(to draft: Draft, behind tip: ChainTip) -> ActorObjection? {
        switch standing(of: draft.actor, at: tip.seq + 1) {
        case .free: return draft.isSigned ? .nobody(draft.actor) : nil
        case .revoked(let enrolment): return .revoked(enrolment.actor, by: enrolment.revoked)
        case .enrolled(let enrolment):
            do throws(ActorObjection) {
                // Whether the id was spent, the writer's own window says, which knows more of it.
                _ = try Self.use(
                    by: draft.contextObject, of: enrolment, seq: tip.seq + 1, before: tip.seq, draft.signedText(in: tip.ledger))
                return nil
            } catch {
                return error
            }
        }
    }

    private static func use(
        by context: JSONObject, of enrolment: Enrolment, seq: UInt64, before: UInt64, _ text: @autoclosure () -> [UInt8]
    ) throws(ActorObjection) -> SignedIDs.Use? {
        let actor = enrolment.actor
        guard let sign = context["sign"]?.string else {
            if planted(.unsignedAccepted) { return nil }
            throw .unsigned(actor)
        }
        guard let id = context["id"]?.string else { throw .withoutID(actor) }
        guard let base = context["base"]?.seq else { throw .withoutBase(actor) }
        guard base <= before, before - base <= baseDistanceMax || planted(.oldBaseAccepted) else {
            throw .base(actor, base, before: before)
        }
        guard let signature = ActorSignature(sign),
            enrolment.key.accepts(signature, of: text()) || planted(.actorSignatureUnchecked)
        else { throw .signature(actor) }
        return SignedIDs.Use(actor: actor, id: id, base: base, seq: seq, before: before)
    }
}

extension FrameView {
    /// 0 for a frame whose part says that its decision began before the first entry, which no chain has.
    fileprivate var seqBeforeDecision: UInt64 {
        let index = UInt64(part?.index ?? 1)
        return seq - min(seq, index)
    }
}
