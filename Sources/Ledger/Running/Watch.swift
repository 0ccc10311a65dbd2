package import CanonicalJSON
package import LedgerFormat

/// What a long-lived process knows of itself, and what it therefore does at each pulse: decisions, without clock and I/O.
///
/// Slices that find nothing wrong are told together in the next pulse. Every thorough slice, every failure, and a walk that came
/// to its end is recorded by itself; but a small ledger is gone through in each slice, and then only every tenth of those is.
package struct Watch: Sendable {
    /// Every so many pulses the slice is a thorough one.
    package static let deepInterval: UInt64 = 10

    /// When it came up, on the clock that never steps back.
    private let started: Int64
    /// The last entry of this process that tells how far the ledger is.
    private var seen: UInt64
    private var pulseCount: UInt64 = 0
    /// Slices since the last pulse.
    private var sliceCount = 0
    private var checkedCount: UInt64 = 0
    private var lastAudit: JSONObject
    /// The pulse behind which a finished walk was recorded last.
    private var recordedFullAt: UInt64?
    /// Where the next slice begins.
    package private(set) var progress: AuditProgress?
    /// A slice runs: the next one waits for a later pulse.
    package private(set) var isAuditing = false

    /// - Parameter seq: the entry that says that the process is up.
    package init(started: Int64, seq: UInt64, boot: AuditFinding) {
        self.started = started
        seen = seq
        lastAudit = boot.summary
        progress = boot.progress
    }

    /// The process is up, and has said so.
    package mutating func isOnline(_ receipt: Receipt) { seen = receipt.seq }

    /// What the next pulse says; `tip` is the last entry before it.
    package func pulse(behind tip: UInt64, uptime: Int64) -> JSONObject {
        [
            "entries": .number(Double(tip - min(seen, tip))), "uptime_microseconds": .number(Double(uptime - started)),
            "slices": ["count": .number(Double(sliceCount)), "checked": .number(Double(checkedCount))],
            "audit": .object(lastAudit),
        ]
    }

    /// A pulse is recorded: which slice follows; nil while one runs.
    package mutating func beat(_ receipt: Receipt) -> AuditPolicy? {
        seen = receipt.seq
        pulseCount += 1
        sliceCount = 0
        checkedCount = 0
        guard !isAuditing else { return nil }
        isAuditing = true
        return pulseCount % Self.deepInterval == 0 ? .deep : .fast
    }

    package enum Verdict: Sendable {
        /// The next pulse tells it.
        case summarise
        case record
    }

    /// A slice has ended: whether it gets an entry of its own.
    package func verdict(on finding: AuditFinding) -> Verdict {
        guard finding.policy == .fast, finding.reaction == .record else { return .record }
        guard finding.isFull else { return .summarise }
        return recordedFullAt.map { pulseCount - $0 < Self.deepInterval } ?? false ? .summarise : .record
    }

    /// A slice is told, or will be.
    package mutating func add(_ finding: AuditFinding) {
        if finding.isFull, verdict(on: finding) == .record { recordedFullAt = pulseCount }
        isAuditing = false
        sliceCount += 1
        checkedCount += finding.report.entryCount
        lastAudit = finding.summary
        progress = finding.progress
    }
}
