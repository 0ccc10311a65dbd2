import CanonicalJSON
package import LedgerFormat

/// The entry that a backup leaves in the ledger it was made of.
package enum BackupDraft {
    package static func finished(
        _ report: Backup.Report, path: PathText, includesKeys: Bool, microseconds: Int64
    ) throws(LedgerError) -> Draft {
        var body = path.members()
        body["seq"] = .number(Double(report.head.seq))
        body["hash"] = .string(report.head.tip.description)
        body["segments"] = .number(Double(report.segmentCount))
        body["bytes"] = .number(Double(report.byteCount))
        body["keys"] = .bool(includesKeys)
        body["microseconds"] = .number(Double(microseconds))
        return try Drafts.refusable("backup.finished", .resilience, "a verified copy of the ledger was made", .object(body))
    }
}
