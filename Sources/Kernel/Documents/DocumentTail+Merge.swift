package import CanonicalJSON
package import Ledger
package import LedgerFormat
import PlantedDefects

/// What becomes of a patch whose writer had not seen everything.
package struct DocumentMerge: Sendable {
    /// As it was meant, for the tree that was seen.
    package var meant: JSONPatch
    /// What it comes to, for the tree as it is: whoever folds needs to know no class.
    package var patch: JSONPatch
    package var reads, writes: [JSONPointer]
    package var resolution: ConflictManager.Resolution

    /// Of the entry, in so many bytes.
    ///
    /// Patch and what was meant may both be as long as the tree: where there is no room for the latter, what counts of it stands in the
    /// patch, and what was lost beside it.
    func body(within room: Int) throws(LedgerError) -> JSONObject {
        var body: JSONObject = ["patch": patch.json]
        guard patch != meant || !resolution.isClean else { return body }
        // Names and commas too.
        let left = room - patch.json.canonicalBytes().count - 100
        let meantCount = patch == meant ? 0 : meant.json.canonicalBytes().count
        let record: JSONObject
        if let found = ConflictRecord.ofTree(resolution, isWhole: false, within: left - meantCount) {
            if patch != meant { body["meant"] = meant.json }
            record = found
        } else if patch != meant, let found = ConflictRecord.ofTree(resolution, isWhole: true, within: left) {
            record = found
        } else {
            throw LedgerError(
                .refused,
                "the change would lose \(resolution.lost.count) places to others and take \(resolution.overrode.count) from others, "
                    + "and with them it does not fit into one entry; nothing was changed: look at it as it is now, and try again with a newer seq"
            )
        }
        for member in record.members { body[member.key] = member.value }
        return body
    }

    func context(_ base: UInt64) -> JSONObject {
        var context: JSONObject = ["base": .number(Double(base)), "writes": .array(writes.map { .string($0.description) })]
        if !reads.isEmpty { context["reads"] = .array(reads.map { .string($0.description) }) }
        return context
    }
}

extension DocumentTail {
    /// Merges a patch into the tree as it is now.
    ///
    /// - Parameters:
    ///   - reads: what its writer built on besides.
    ///   - now: the tree behind all that came since.
    ///   - tip: the seq behind which it will stand.
    /// - Throws: `conflict` where an equal class was first to say something else; `refused` for what does not apply to the tree that was
    ///   seen, or would make it too large.
    package func merge(
        _ patch: JSONPatch, reading reads: [JSONPointer], by actor: String, _ rank: ClassOrder.Rank, into now: Documents,
        tip: UInt64
    ) throws(LedgerError) -> DocumentMerge {
        _ = try seen.changed(by: patch)
        guard let places = try? patch.places(on: seen.root) else { preconditionFailure("it was applied just now") }
        guard Documents.areFew(places.writes) else {
            throw LedgerError(
                .refused,
                "the patch writes \(places.writes.count) places, and what is compared with others has \(Documents.writeCountMax) at most, "
                    + "in \(Documents.writeByteCountMax) bytes; nothing was changed")
        }
        let draft = PlacedEntry(
            actor: actor, rank: rank, reads: JSONPointer.outermost(reads + places.reads),
            writes: places.writes.map { PlacedValue($0, .init(places.result[$0])) })
        var resolution: ConflictManager.Resolution
        do throws(ConflictManager.Contest) { resolution = try ConflictManager.resolve(draft, against: changes) } catch {
            throw LedgerError(error, tip: tip)
        }
        // What lost before loses nothing more.
        resolution.overrode.removeAll { win in win.loser.seq.map { lost.contains(Claim($0, win.at)) } ?? false }
        let target = tree(with: draft, resolution, now)
        try Documents.checkSize(of: target)
        let isAsMeant = (try? patch.apply(to: now.root)) == target
        return DocumentMerge(
            meant: patch, patch: isAsMeant ? patch : now.difference(to: target), reads: draft.reads,
            writes: draft.writes.map(\.at), resolution: resolution)
    }

    /// The tree with what counts of the draft, and without what it takes from others.
    ///
    /// A write counts unless it has lost to some other entry; that is decided for each pair of entries by itself. The tree is what
    /// comes of all writes that count, each put where it belongs, in the order of their entries, with room made for it where what it
    /// was built on has lost. Of entries that had not seen each other no two writes count that meet, unless they say the same: so
    /// the tree follows from the entries and what each had seen, and not from the order in which they came.
    private func tree(
        with draft: PlacedEntry, _ resolution: ConflictManager.Resolution, _ now: Documents
    ) -> JSON {
        var tree = now.root
        if !resolution.overrode.isEmpty, !planted(.losersKept) { tree = replayed(without: resolution.overrode, now) }
        for write in draft.writes where !resolution.lost.contains(where: { $0.at == write.at }) {
            tree.put(write.value.json, at: write.at)
        }
        return tree
    }

    /// What comes of all that counts: so nothing is left of what lost, also where it enclosed what it lost to.
    private func replayed(without overrode: [Collision], _ now: Documents) -> JSON {
        var lost = ground.lost
        for win in overrode { if let seq = win.loser.seq { lost.insert(Claim(seq, win.at)) } }
        var tree = ground.root
        for change in ground.entries {
            for write in change.writes where !lost.contains(Claim(change.seq ?? 0, write.at)) {
                tree.put(write.value.json, at: write.at)
            }
        }
        guard !ground.isPure else { return tree }
        // What lost further back would come again: only what is taken now is looked up there.
        var target = now.root
        for place in JSONPointer.outermost(overrode.map(\.at)) { target.put(tree[place], at: place) }
        return target
    }
}

extension Decider {
    /// Changes the tree by a patch whose writer had seen it as it was at an entry.
    ///
    /// Other places than his are merged; of his, classes decide. What does not count of the patch is kept in the entry.
    ///
    /// - Parameters:
    ///   - base: the seq of that entry.
    ///   - reads: what he built on besides.
    ///   - patch: by the tree that he saw.
    /// - Returns: what came of it: of the tree, and of events.
    /// - Throws: `conflict`, with both values, where an equal class was first; `refused` where the base lies too far behind.
    package mutating func change(
        seen base: UInt64, reading reads: [JSONPointer] = [], as actor: String, _ justification: Justification,
        _ patch: (Documents) throws(LedgerError) -> JSONPatch
    ) throws(LedgerError) -> Decided<ConflictManager.Resolution> {
        let environment = environment
        var decided = try decide(
            on: Documents.self, as: actor,
            reading: { around throws(LedgerError) in
                try WriterSession.checkUnseen(base: base, tip: around.tip, firstSeq: around.view.firstSeq)
                let tail = try DocumentTail(behind: base, in: around.view, environment, around.ranks)
                return (tail: tail, rank: around.ranks.rank(of: actor, at: around.tip + 1))
            },
            { documents, found, moment throws(LedgerError) in
                let merge = try found.tail.merge(
                    try patch(found.tail.seen), reading: reads, by: actor, found.rank, into: documents, tip: moment.seq)
                let context = merge.context(base)
                let body = try merge.body(within: Self.byteCountMax(beside: context, justification, by: actor))
                return Decision(
                    [try moment.draft(Documents.patched, justification, body, context)], reply: merge.resolution)
            })
        decided.reply.overrode += decided.overrode
        return decided
    }

    /// How long a body may be beside what else the entry has.
    private static func byteCountMax(
        beside context: JSONObject, _ justification: Justification, by actor: String
    ) -> Int {
        let texts = JSON.array([.object(context), .string(justification.reason), .string(actor)])
        // Digests, a signature and what is of one length.
        return Limits.draftPayload - texts.canonicalBytes().count - 2048
    }
}
