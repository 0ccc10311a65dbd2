import CanonicalJSON
import LedgerFormat
import PlantedDefects

extension LaneJournal {
    /// A journal that leads the reference to these leases: one checkpoint, and behind it, as entries of their own, what does not fit into
    /// its line.
    ///
    /// - Parameter seq: the ledger's last seq: the journal's next one is higher than every token.
    package static func exporting(_ leases: [Lease], upTo seq: UInt64) -> [UInt8] {
        let named = leases.map(\.journaled)
        // The reference takes two leases of a lane for one if their runs have one name. A name that is given must be nobody's own
        // either.
        let ownNames = Set(named.map(LeaseIdentity.init(of:)))
        var identities: Set<LeaseIdentity> = []
        var objects: [PythonJSON] = []
        for (lease, named) in zip(leases, named) {
            var object = named
            var identity = LeaseIdentity(of: object)
            var count = 0
            while identities.contains(identity) || count > 0 && ownNames.contains(identity) {
                object["loop_ts"] = .text(lease.id.description + (count == 0 ? "" : "-\(count)"))
                identity = LeaseIdentity(of: object)
                count += 1
                if planted(.exportNameReused) { break }
            }
            identities.insert(identity)
            objects.append(.object(object))
        }
        let fitting = objects.prefix(fittingCount(objects))
        let checkpoint = PythonObject([
            ("op", .text("CHECKPOINT")), ("leases", .array(Array(fitting))), ("seq_watermark", .integer(PythonInteger(seq))),
        ])
        var bytes = PythonJSON.object(checkpoint).dumped(keepsOnOneLine: true) + [0x0A]
        for object in objects[fitting.endIndex...] {
            let entry = PythonObject([
                ("op", .text("ACQUIRE")), ("lane", object.object?["lane"] ?? .null),
                ("loop_ts", object.object?["loop_ts"] ?? .null), ("lease", object),
            ])
            bytes += PythonJSON.object(entry).dumped(keepsOnOneLine: true) + [0x0A]
        }
        return bytes
    }

    /// How many of these leases, the first ones, fit into a checkpoint's line.
    static func fittingCount(_ leases: [PythonJSON]) -> Int {
        // Beside the leases there are the names of its members and a number.
        var room = lineByteCountMax - 4096
        return leases.prefix { lease in
            room -= lease.dumped(keepsOnOneLine: true).count + 2
            return room >= 0
        }.count
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
        for note in notes.members { object[PythonText(note.key)] = PythonJSON(note.value) }
        // There the mode says what is shared with us the kind says, whatever else its holder called it.
        if kind == .shared { object["mode"] = .text("shared") } else if notes["mode"] == "shared" { object["mode"] = nil }
        return object
    }
}
