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

    package struct ReceiptFinding: Sendable, Equatable {
        package var receipt: Receipt
        /// Nil when the entry is there, with this hash.
        package var failure: String?
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

    /// FORMAT.md §6: the same line that the independent verifier prints.
    package var verdictLine: String {
        "\(verdict.rawValue): \(place)" + (verdict == .intact ? "" : reason.map { ": \($0)" } ?? "")
    }
}
