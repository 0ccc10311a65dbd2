package import DurableFiles
import LedgerFormat

// Why a long-lived process stops by itself, and what its keeper does then.
extension LedgerError {
    /// An audit after which nothing can be written.
    init(_ finding: AuditFinding) {
        let line = finding.report.verdictLine
        switch finding.report.verdict {
        case .tampered: self.init(.tampered, line, at: finding.report.place)
        case .unverifiable: self.init(.unverifiable, line)
        case .intact, .torn, .partial: self.init(.locked, "the alert was raised, and not by this process")
        }
    }

    /// What to do about it, in a sentence; nil where the message says it.
    package var remedy: String? {
        switch code {
        // The ledger itself is sound, and the message names the way back.
        case .tampered where cause == .anchor: nil
        case .tampered where cause == .drift:
            "find out who moved or replaced it, and put back what was there; `bulla verify` tells whether it is whole, and `bulla repair --yes` releases the alert, or says who does"
        case .tampered, .locked:
            "the ledger is kept as it is: `bulla verify --resync` shows what is left of it, and `bulla repair` goes on from there"
        case .inputOutput: "what was acknowledged is there; mend the disk, look with `bulla verify`, and start it again"
        case .unverifiable, .refused, .conflict, .usage, .busy: nil
        }
    }
}

extension Auditor {
    /// What is wrong with a ledger whose alert somebody else has raised: the first damage that can be found in the time that BOOT has.
    package static func rootCause(_ storage: any Storage, _ environment: Environment) async -> String? {
        var audit = Audit(environment)
        audit.budget = AuditPolicy.boot.budget
        guard let report = try? await audit.run(storage), report.verdict == .tampered else { return nil }
        return report.verdictLine
    }
}
