package import CanonicalJSON
import DurableFiles
package import LedgerFormat
import PlantedDefects

// What follows the copying, under the writer's lock.
extension WriterSession {
    /// Ends the active segment, so that it may be archived as a whole; nothing for one that is empty.
    package mutating func endSegment() throws(LedgerError) {
        guard let state else { preconditionFailure("only the holder of the writer's lock ends a segment") }
        if state.end > 0 { try roll() }
    }

    /// Records that segments were archived, and removes them.
    ///
    /// Requires the lock. A crash before the entry is durable leaves copies of no harm; one behind it leaves segments that the entry
    /// explains, however many of them are left: who archives again takes them along.
    ///
    /// - Parameters:
    ///   - copied: what lies in the archive, verified.
    ///   - drafts: of floor 4, to become durable together with the entry: what must be known without the archived entries.
    ///   - check: of floor 4: refuses where one of the entries must stay.
    package mutating func archive(
        _ copied: Archiver.Copied, to directory: PathText, reason: String, _ members: JSONObject, _ drafts: [Draft],
        check: () throws(LedgerError) -> Void = {}
    ) throws(LedgerError) -> Answer {
        let entry = try Drafts.archived(copied.statement, copied.latest, to: directory, reason: reason, members)
        if let refusal = Retention(actors.articles, now: environment.now())?.refusal(of: copied.tip.time, at: copied.tip.seq) {
            throw refusal
        }
        try checkUnchanged(copied)
        try check()
        if planted(.archivedBeforeRecorded) { try remove(copied.statement) }
        let answer = try commit([[entry] + drafts])[0].get()
        // What explains that they are gone is vouched for before the first of them goes.
        try vouch()
        if !planted(.archivedBeforeRecorded) { try remove(copied.statement) }
        return answer
    }

    /// What was copied without the lock is what still stands there, and the chain goes on behind it.
    private func checkUnchanged(_ copied: Archiver.Copied) throws(LedgerError) {
        guard let state else { preconditionFailure("only the holder of the writer's lock archives") }
        let isUnchanged = try doing("cannot archive") { () throws(StorageError) in
            let reader = try SegmentReader(storage)
            let statement = copied.statement
            guard try storage.status(of: Layout.ledger)?.identity == copied.directory else { return false }
            guard Array(reader.segments.prefix(statement.segments.count)) == statement.segments.map(\.first) else { return false }
            for segment in statement.segments
            where try reader.open(segment: segment.first).status().size != segment.byteCount { return false }
            let rest = try SegmentReader(storage, reader.segments.filter { $0 > statement.last })
            guard let first = rest.segments.first else { return false }
            let base = ChainBase(seq: first, previousHash: copied.tip.hash, key: copied.tip.key)
            // An empty segment was begun behind the last one of them.
            return try rest.firstFrame()?.base ?? (state.tip == copied.tip ? base : nil) == base
        }
        guard isUnchanged else {
            throw LedgerError(
                .inputOutput,
                "the ledger at \(storage.basePath) was repaired or archived meanwhile; nothing was removed: try again")
        }
    }

    /// Removes segments, oldest first: each removal is durable before the next, or a crash could leave a hole.
    private func remove(_ statement: ArchiveStatement) throws(LedgerError) {
        try doing("the archive is recorded, but not all of its segments could be removed; archive again") {
            () throws(StorageError) in
            for segment in statement.segments {
                try storage.remove(SegmentReader.path(ofSegment: segment.first))
                if !planted(.removalUnsynced) { try storage.synchronize(directory: Layout.ledger) }
            }
        }
    }
}

extension Drafts {
    /// - Parameters:
    ///   - latest: the latest time of any entry up to the last archived one.
    ///   - reason: the user's, which may be refused.
    ///   - members: what floor 4 says besides.
    static func archived(
        _ statement: ArchiveStatement, _ latest: Timestamp, to directory: PathText, reason: String, _ members: JSONObject
    ) throws(LedgerError) -> Draft {
        var body = directory.members("directory")
        for member in statement.members.members + members.members { body[member.key] = member.value }
        body["first"] = .number(Double(statement.first))
        body["last"] = .number(Double(statement.last))
        body["bytes"] = .number(Double(statement.byteCount))
        body["time"] = .string(latest.description)
        return try refusable(ArchiveStatement.action, .resilience, reason, .object(body))
    }
}
