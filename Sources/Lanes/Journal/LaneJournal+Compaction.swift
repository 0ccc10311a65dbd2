/// What a journal is written anew as.
package struct CompactedJournal: Sendable {
    /// The new journal's bytes.
    package var bytes: [UInt8] = []
    package var entryCount = 0
    /// How many leases follow the checkpoint as entries of their own, since a checkpoint would lose them or know them by another
    /// identity, or since its line would be too long.
    package var acquiredCount = 0
}

extension LaneJournal {
    /// Whether the same leases are live in both, in the same order, and the next seq is the same.
    package func holdsTheSame(as other: LaneJournal) -> Bool {
        func written(_ journal: LaneJournal) -> [[UInt8]] {
            journal.leases.map { PythonJSON.object($0.lease).dumped(keepsOnOneLine: true) }
        }
        return leases.map(\.identity) == other.leases.map(\.identity) && written(self) == written(other)
            && nextSeq == other.nextSeq
    }

    /// What a lease says of itself once it is written: sorting the members of a nested object changes Python's text of it.
    private static func writtenIdentity(of lease: PythonObject) -> LeaseIdentity {
        let written = PythonJSON(reading: PythonJSON.object(lease).dumped(keepsOnOneLine: true))
        return LeaseIdentity(of: written?.object ?? PythonObject())
    }

    /// The journal as one checkpoint and what says of lines that they were bad.
    ///
    /// This is the one place where we do better than the reference on purpose, unless `isCompatible`. What it writes does not always lead to
    /// what was live before: a checkpoint knows each lease by what the lease says of itself, which need not be what its entry said; and a
    /// U+0085, U+2028 or U+2029 in it cuts the line in two when it is read. So from the first such lease on ours follow the checkpoint, in
    /// their order, as ACQUIRE entries that name the identity; and these characters are escaped. The reference reads that well.
    package func compacted(isCompatible: Bool) -> CompactedJournal {
        var compacted = CompactedJournal()
        let write = { (object: PythonObject) in
            compacted.bytes += PythonJSON.object(object).dumped(keepsOnOneLine: !isCompatible) + [0x0A]
            compacted.entryCount += 1
        }
        let leases = leases
        let fittingCount = isCompatible ? leases.count : Self.fittingCount(leases.map { .object($0.lease) })
        let plain =
            isCompatible ? leases[...] : leases.prefix(fittingCount).prefix { Self.writtenIdentity(of: $0.lease) == $0.identity }
        write(
            PythonObject([
                ("op", .text("CHECKPOINT")), ("leases", .array(plain.map { .object($0.lease) })),
                ("seq_watermark", .integer(lastSeq)),
            ]))
        for (identity, lease) in leases[plain.endIndex...] {
            write(
                PythonObject([
                    ("op", .text("ACQUIRE")), ("loop_ts", .text(identity.loop)), ("lane", .text(identity.lane)),
                    ("lease", .object(lease)),
                ]))
            compacted.acquiredCount += 1
        }
        for entry in corruptEntries { write(entry) }
        return compacted
    }
}
