import PlantedDefects

/// The ids of signed drafts, as far back as they can be recorded again: each counts once (FORMAT.md §4.7).
///
/// A draft was made behind its base, so that what repeats it has the id of an entry behind that base; and a base lies at most
/// `ActorRoster.baseDistanceMax` back. So memory is bounded: by the signed entries of twice as many seqs and of one decision. What is
/// unsigned is not kept, and costs nothing.
package struct SignedIDs: Sendable {
    /// How a signed entry, or one that a repair re-admitted as proven, spends an id.
    package struct Use: Sendable, Equatable {
        package let actor: String
        package let id: String
        package let base: UInt64
        /// Its own seq, which a re-admitted one has from before the damage.
        package let seq: UInt64
        /// The entry before its decision.
        package let before: UInt64

        package init(actor: String, id: String, base: UInt64, seq: UInt64, before: UInt64) {
            self.actor = actor
            self.id = id
            self.base = base
            self.seq = seq
            self.before = before
        }

        /// An id can be as long as an entry, so its digest is kept; an actor holds no NUL.
        fileprivate var name: Digest {
            let bytes = Array("\(actor)\0\(id)".utf8)
            return Digest(sha256: bytes.span)
        }
    }

    /// The last entry with an id, by the digest of both names: all behind `horizon`.
    private var seqs: [Digest: UInt64] = [:]
    private var horizon: UInt64 = 0
    /// The greatest `before`: no later base lies further below it.
    private var newest: UInt64 = 0
    /// The greatest seq.
    private var last: UInt64 = 0

    // What the piece before must not contradict.
    /// The first seq; nil before the first entry.
    private var first: UInt64?
    private var lowestBase = UInt64.max
    /// The lowest bases below `first`, by name: the piece before may hold what they repeat.
    private var early: [Digest: UInt64] = [:]

    package init() {}

    /// Takes down what a verified entry spends; of several that one entry brings, all or none.
    ///
    /// - Throws: if one was spent before, or may have been, longer ago than is known.
    package mutating func take(_ uses: [Use]) throws(ActorObjection) {
        // What is refused is perhaps looked at again, and must not be met then as its own repetition.
        let before = uses.count > 1 ? self : nil
        do throws(ActorObjection) {
            for use in uses { try take(use) }
        } catch {
            if let before { self = before }
            throw error
        }
    }

    private mutating func take(_ use: Use) throws(ActorObjection) {
        if planted(.signedIDsForgotten) { return }
        let name = use.name
        guard Self.reaches(use.base, newest) || planted(.oldBaseAccepted) else {
            throw .base(use.actor, use.base, before: newest)
        }
        if let first = seqs[name], first > use.base { throw .repeated(use.actor, as: first) }
        seqs[name] = use.seq
        newest = max(newest, use.before)
        last = max(last, use.seq)
        let first = first ?? use.seq
        self.first = first
        lowestBase = min(lowestBase, use.base)
        if use.base < first { early[name] = min(early[name] ?? .max, use.base) }
        forget()
    }

    private static func reaches(_ base: UInt64, _ newest: UInt64) -> Bool {
        newest < base || newest - base <= ActorRoster.baseDistanceMax
    }

    /// Now and then, so that it costs little.
    private mutating func forget() {
        let distance = ActorRoster.baseDistanceMax
        guard newest >= horizon + 2 * distance else { return }
        horizon = newest - distance
        seqs = seqs.filter { $0.value > horizon }
    }

    /// How many are known.
    package var count: Int { seqs.count }
}

extension SignedIDs {
    /// With those of a piece behind this one; nil if it repeats one, or may.
    package func joined(with next: SignedIDs) -> SignedIDs? {
        if planted(.signedIDsUnjoined) { return next }
        guard let nextFirst = next.first else { return self }
        guard let first else { return next }
        guard last < nextFirst, Self.reaches(next.lowestBase, newest),
            next.early.allSatisfy({ seqs[$0.key] ?? 0 <= $0.value })
        else { return nil }
        var joined = self
        joined.seqs.merge(next.seqs) { max($0, $1) }
        joined.horizon = max(horizon, next.horizon)
        joined.newest = max(newest, next.newest)
        joined.last = max(last, next.last)
        joined.lowestBase = min(lowestBase, next.lowestBase)
        for (name, base) in next.early where base < first { joined.early[name] = min(joined.early[name] ?? .max, base) }
        joined.forget()
        return joined
    }
}
