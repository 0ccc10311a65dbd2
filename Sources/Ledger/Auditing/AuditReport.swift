package import LedgerFormat

/// What an audit found. The states never blur: torn is a crash's work, tampered is not, unverifiable says that a key is absent.
package struct AuditReport: Sendable, Equatable {
    package enum Verdict: String, Sendable {
        case intact, torn, tampered, unverifiable, partial
    }

    package var verdict: Verdict
    /// The first bad place; or the end of what was verified.
    package var place: Place
    package var reason: String?
    /// The last verified entry.
    package var tip: ChainTip?
    package var entryCount: UInt64
    package var head: Head?
    /// What lies behind the verified end and is being written right now.
    package var isUnsettledBehind = false
    /// Where a partial audit goes on.
    package var resumeSeq: UInt64?
    /// Why SIGs could not be checked.
    package var keyAbsence: String?
    /// Nothing could be sealed now; other keys may be absent all the same.
    package var isHeadKeyAbsent = false
    package var receipts: [ReceiptFinding] = []
    /// The first seq that is there: above 1 where earlier entries were archived, which were not looked at.
    package var firstSeq: UInt64 = 1
    /// The entry that says so, if the walk came by it.
    package var archivedBy: UInt64?
    /// What lies in archives, if they were compared.
    package var archivedSegments: ArchiveCheck.Report?

    package struct ReceiptFinding: Sendable, Equatable {
        package var receipt: Receipt
        /// Nil when the entry is there, with this hash.
        package var failure: String?
        /// Its entry was archived, and nothing was found out.
        package var isArchived = false
    }

    /// Design §4.
    package var exitCode: Int32 {
        switch verdict {
        case .intact, .torn: 0
        case .tampered: 10
        case .unverifiable: 11
        case .partial: 12
        }
    }

    /// What was not looked at because it is elsewhere.
    package var archiveNote: String? {
        guard firstSeq > 1 else { return nil }
        return "from seq \(firstSeq); before: unchecked" + (archivedBy.map { ", archived by entry \($0)" } ?? "")
    }

    /// FORMAT.md §6: the same line that the independent verifier prints.
    package var verdictLine: String {
        "\(verdict.rawValue): \(place)" + ((verdict == .intact ? archiveNote : reason).map { ": \($0)" } ?? "")
    }
}
