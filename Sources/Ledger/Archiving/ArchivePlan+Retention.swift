import LedgerFormat
import PlantedDefects

// How long a constitution keeps entries in the ledger.
extension ArchivePlan {
    /// - Throws: `refused` if an entry would go that is too young.
    package func checkRetention(in view: LedgerView, _ environment: Environment) throws(LedgerError) {
        guard let first = segments.first?.first, let last = segments.last?.last,
            let retention = Retention(try view.actors().articles, now: environment.now())
        else { return }
        var refusal: LedgerError?
        try EntryReader(view, environment).read(from: first, through: last) { frame, _ in
            refusal = retention.refusal(of: frame.time, at: frame.seq)
            return refusal == nil
        }
        if let refusal { throw refusal }
    }
}

/// From when on entries stay.
struct Retention {
    private let days: Int
    private let end: Timestamp

    /// Nil if they may go at once.
    init?(_ articles: Articles, now: Timestamp) {
        guard articles.retentionDays > 0, !planted(.retentionUnchecked) else { return nil }
        days = articles.retentionDays
        end = Timestamp(microseconds: now.microseconds - Int64(days) * 86_400_000_000)
    }

    func refusal(of time: Timestamp, at seq: UInt64) -> LedgerError? {
        guard time > end else { return nil }
        return LedgerError(
            .refused,
            "the constitution keeps entries in the ledger for \(days) day\(days == 1 ? "" : "s"), and entry \(seq) is of \(time): "
                + "give an earlier --before; nothing was archived")
    }
}
