import CanonicalJSON
import LedgerFormat

extension LaneJournal {
    /// A journal that leads the reference to these leases: one checkpoint.
    ///
    /// - Parameter seq: the ledger's last seq: the journal's next one is higher than every token.
    package static func exporting(_ leases: [Lease], upTo seq: UInt64) -> [UInt8] {
        var identities: Set<LeaseIdentity> = []
        var objects: [PythonJSON] = []
        for lease in leases {
            var object = lease.journaled
            // The reference takes two leases of a lane for one if their runs have one name.
            if !identities.insert(LeaseIdentity(of: object)).inserted { object["loop_ts"] = .text(lease.id.description) }
            objects.append(.object(object))
        }
        let checkpoint = PythonObject([
            ("op", .text("CHECKPOINT")), ("leases", .array(objects)), ("seq_watermark", .integer(PythonInteger(seq))),
        ])
        return PythonJSON.object(checkpoint).dumped(keepsOnOneLine: true) + [0x0A]
    }
}

extension Lease {
    /// As the reference has it, and our id and token, by which its holder finds it again.
    fileprivate var journaled: PythonObject {
        var object = PythonObject([
            ("lane", .text(lane.text)), ("lane_kind", .text(kind == .exclusive ? "global" : "cluster")),
            // Beside an empty tree the reference admits anything.
            ("tree", PythonJSON((tree.globs.isEmpty ? Tree([.everything]) : tree).json)), ("loop_ts", .text(loopTS)),
            ("host_id", .text(host)), ("pid", process.map { .integer(PythonInteger($0.pid)) } ?? .null),
            ("holder", .text(holder)),
            ("acquired_at", .text(acquiredAt.wholeSeconds)), ("heartbeat_at", .text(beat.time.wholeSeconds)),
            ("ttl_minutes", PythonJSON(.number(TimeSpan.minutes(ttl)))), ("lease_id", .text(id.description)),
            ("token", .integer(PythonInteger(token))),
        ])
        if kind == .shared { object["mode"] = .text("shared") }
        for note in notes.members { object[PythonText(note.key)] = PythonJSON(note.value) }
        return object
    }
}
