import CanonicalJSON
package import LedgerFormat

/// A patch of a handbook, and what became of it.
package struct Patch: Sendable, Equatable {
    /// Of its proposal: what it is called.
    package let seq: UInt64
    package let change: HandbookChange
    /// The beginning of who proposed it, as `kind:name`, and of why.
    package let author, reason: String
    /// Of the traumas for which a review drafted it; nil if somebody wrote it.
    package let signature: Signature?
    package internal(set) var stage = Stage.proposed
    /// What associates signed last of it: its approval, or the approval's reversal.
    package internal(set) var act: UInt64?
    /// The approval.
    var approval: UInt64?
    /// Who has said no, as `kind:name`, and in which entry.
    package internal(set) var rejection: UInt64?

    /// The handbook is being put back to what was signed last: the digest of what stood there, zeros for nothing; nil if it is not.
    package internal(set) var restoring: Digest?

    package enum Stage: String, Sendable, Codable {
        case proposed
        /// It is signed, and a crash may have come before the handbook was replaced.
        case approved
        case applied
        /// The same of taking it back.
        case reverting
        case reverted
        case rejected
    }

    /// It wants something to be done still.
    package var isOpen: Bool { stage == .proposed || isPending }
    /// Signed, and not known to be done.
    package var isPending: Bool { stage == .approved || stage == .reverting || restoring != nil }

    /// Names are the same if their bytes are.
    func isOf(_ handbook: String) -> Bool { change.handbook.utf8.elementsEqual(handbook.utf8) }

    /// What the handbook is before and behind what was signed last.
    package var step: (before: Digest, after: Digest) {
        let isBack = stage == .reverting || stage == .reverted
        return (restoring ?? (isBack ? change.result : change.base), isBack ? change.base : change.result)
    }

    /// What associates sign to take it back.
    package var reversal: HandbookChange {
        HandbookChange(
            proposal: seq, handbook: change.handbook, base: change.result, result: change.base, diff: change.diff)
    }
}

// A snapshot holds it.
extension Patch: Codable {
    private enum Key: String, CodingKey {
        case act, approval, author, base, diff, handbook, reason, rejection, restoring, result, seq, signature, stage
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
        restoring = try values.contains(.restoring) ? digest(.restoring) : nil
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
        try values.encodeIfPresent(restoring?.description, forKey: .restoring)
    }

    init(_ proposal: PatchProposal, _ fact: Fact) {
        self.init(
            seq: fact.seq, change: proposal.change(fact.seq), author: Brief.text(fact.actor), reason: Brief.text(fact.reason),
            signature: proposal.signature)
    }

    private init(seq: UInt64, change: HandbookChange, author: String, reason: String, signature: Signature?) {
        self.seq = seq
        self.change = change
        self.author = author
        self.reason = reason
        self.signature = signature
    }
}
