package import LedgerFormat

extension Timestamp {
    /// As the reference writes times: without fractions, for example `2026-01-31T12:00:00Z`.
    package var wholeSeconds: String { description.prefix(19) + "Z" }
}

extension LaneJournal {
    /// An entry as it is appended: with `seq` and `ts` if it has none of its own.
    package func stamped(_ entry: PythonObject, at time: Timestamp) -> PythonObject {
        var entry = entry
        if entry["seq"] == nil { entry["seq"] = .integer(nextSeq) }
        if entry["ts"] == nil { entry["ts"] = .text(time.wholeSeconds) }
        return entry
    }

    /// The bytes to append for it, in one write.
    ///
    /// If the journal's last line was not ended, it is ended first: else both would become one line that nobody can read.
    package func line(of entry: PythonObject) -> [UInt8] {
        (endsLine ? [] : [0x0A]) + PythonJSON.object(entry).dumped(keepsOnOneLine: true) + [0x0A]
    }
}
