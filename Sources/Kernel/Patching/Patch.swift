import CanonicalJSON
package import LedgerFormat

/// A patch of a handbook, and what became of it.
package struct Patch: Sendable, Equatable {
    /// Of its proposal: what it is called.
    package let seq: UInt64
    package let change: HandbookChange
    /// Who proposed it, as `kind:name`: all of it, if he can be enrolled.
    package let author: String
    /// The beginning of why.
    package let reason: String
    /// Of the traumas for which a review drafted it; nil if somebody wrote it.
    package let signature: Signature?
    package internal(set) var stage = Stage.proposed
    /// What associates signed last of it: its approval, or the approval's reversal.
    package internal(set) var act: UInt64?
    /// The approval.
    var approval: UInt64?
    /// The entry in which somebody said no.
    package internal(set) var rejection: UInt64?

    /// As far as its entries tell; whether anything was lost since, `Patches.standing` knows.
    package enum Stage: String, Sendable, Codable {
        case proposed
        /// The approval is signed.
        case approved
        case applied
        /// The approval's reversal is signed.
        case reverting
        case reverted
        case rejected
    }

    /// Names are the same if their bytes are.
    func isOf(_ handbook: String) -> Bool { change.handbook.utf8.elementsEqual(handbook.utf8) }

    /// What associates sign to take it back.
    package var reversal: HandbookChange {
        HandbookChange(
            proposal: seq, handbook: change.handbook, base: change.result, result: change.base, diff: change.diff)
    }
}

// A snapshot holds it.
extension Patch: Codable {
    private enum Key: String, CodingKey {
        case act, approval, author, base, diff, handbook, reason, rejection, result, seq, signature, stage
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        let digest = { (key: Key) throws -> Digest in
            guard let digest = Digest(try values.decode(String.self, forKey: key)) else {
                throw DecodingError.dataCorruptedError(forKey: key, in: values, debugDescription: "it is no digest")
            }
            return digest
        }
        seq = try values.decode(UInt64.self, forKey: .seq)
        change = HandbookChange(
            proposal: seq, handbook: try values.decode(String.self, forKey: .handbook), base: try digest(.base),
            result: try digest(.result), diff: try digest(.diff))
        author = try values.decode(String.self, forKey: .author)
        reason = try values.decode(String.self, forKey: .reason)
        signature = try values.decodeIfPresent(Signature.self, forKey: .signature)
        stage = try values.decode(Stage.self, forKey: .stage)
        act = try values.decodeIfPresent(UInt64.self, forKey: .act)
        approval = try values.decodeIfPresent(UInt64.self, forKey: .approval)
        rejection = try values.decodeIfPresent(UInt64.self, forKey: .rejection)
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(seq, forKey: .seq)
        try values.encode(change.handbook, forKey: .handbook)
        try values.encode(change.base.description, forKey: .base)
        try values.encode(change.result.description, forKey: .result)
        try values.encode(change.diff.description, forKey: .diff)
        try values.encode(author, forKey: .author)
        try values.encode(reason, forKey: .reason)
        try values.encodeIfPresent(signature, forKey: .signature)
        try values.encode(stage, forKey: .stage)
        try values.encodeIfPresent(act, forKey: .act)
        try values.encodeIfPresent(approval, forKey: .approval)
        try values.encodeIfPresent(rejection, forKey: .rejection)
    }

    init(_ proposal: PatchProposal, _ fact: Fact) {
        self.init(
            seq: fact.seq, change: proposal.change(fact.seq), author: Self.author(fact.actor), reason: Brief.text(fact.reason),
            signature: proposal.signature)
    }

    /// The name as it is kept: what looks for a roster's actor, or for one author's patches, compares all of it.
    static func author(_ actor: String) -> String {
        actor.utf8.count <= Names.draftByteCount ? actor : Brief.text(actor)
    }

    private init(seq: UInt64, change: HandbookChange, author: String, reason: String, signature: Signature?) {
        self.seq = seq
        self.change = change
        self.author = author
        self.reason = reason
        self.signature = signature
    }
}
