import DurableFiles
import LedgerFormat

// Clock, disk and what should be done now and then
extension Checkup {
    /// This program is younger than any time before.
    private static let clockMin = Timestamp(microseconds: 1_767_225_600_000_000)

    static func clock(_ facts: DoctorFacts) -> [Finding] {
        let name = "clock"
        if facts.now < clockMin {
            return [.problem(name, "the clock says \(facts.now)", do: "set the clock; no entry can be older than 2026")]
        }
        if case .whole(_, let seq, let time) = facts.end, facts.now < time {
            return [
                .problem(
                    name, "the clock says \(facts.now), before the last entry's time (seq \(seq), \(time))",
                    do: "set the clock, or find out whether it was wrong when that entry was recorded")
            ]
        }
        switch facts.clockIsSynchronised {
        case true?: return [.ok(name, "\(facts.now), kept right by the system")]
        case false?:
            return [
                .advice(
                    name, "\(facts.now), and nobody keeps it right", do: "run a time service, such as chrony or systemd-timesyncd"
                )
            ]
        case nil: return [.ok(name, "\(facts.now); the system does not say whether anybody keeps it right")]
        }
    }

    private static let syncMicrosecondsMin: Int64 = 20
    private static let syncMicrosecondsAdvised: Int64 = 100_000

    static func syncs(_ facts: DoctorFacts) -> [Finding] {
        let name = "syncs"
        switch facts.syncs {
        case .skipped(let why): return [.unknown(name, "not tried: \(why)")]
        case .failed(let why): return [.problem(name, why, do: "look at the disk and the system's log: appends would fail too")]
        case .median(let median, let count):
            let found = "\(median) µs, the median of \(count)"
            if facts.volume?.kind.nature == .memory { return [.unknown(name, "\(found), which in memory means nothing")] }
            if median < syncMicrosecondsMin {
                return [
                    .advice(
                        name, "\(found): no disk is that fast, so they probably do not reach one",
                        do: "look for a mount option, a virtual machine's cache or a library that drops syncs")
                ]
            }
            if median > syncMicrosecondsAdvised {
                return [.advice(name, "\(found): every append waits so long", do: "look at what else keeps the disk busy")]
            }
            return [.ok(name, found)]
        }
    }

    private static let auditDaysMax: Int64 = 7
    private static let anchorDaysMax: Int64 = 7
    private static let objectionCountMax = 3

    static func lastAudit(_ facts: DoctorFacts) -> [Finding] {
        [
            lastTime(
                facts.lastAudit, "last audit", facts.now, daysMax: auditDaysMax,
                never: "the ledger was never verified as a whole",
                do: "run bulla audit, again while it answers 12, and make it a habit")
        ]
    }

    static func anchor(_ facts: DoctorFacts) -> [Finding] {
        if !facts.objections.isEmpty {
            return facts.objections.prefix(objectionCountMax).map { objection in
                .problem("anchor", objection.what(ledger: facts.basePath), do: AnchorVerdict.Objection.remedy)
            }
        }
        return [
            lastTime(
                facts.lastAnchor, "anchor", facts.now, daysMax: anchorDaysMax,
                never: "the end of the ledger is noted nowhere else",
                do: "keep a receipt elsewhere: bulla receipt SEQ")
        ]
    }

    private static func lastTime(
        _ last: DoctorFacts.LastTime, _ name: String, _ now: Timestamp, daysMax: Int64, never: String, do remedy: String
    ) -> Finding {
        switch last {
        case .unknown(let why): return .unknown(name, why)
        case .never: return .advice(name, never, do: remedy)
        case .at(let time):
            if time > now { return .advice(name, "\(time), which has not come yet", do: "set the clock") }
            let days = days(from: time, to: now)
            let found = days == 0 ? "\(time), less than a day ago" : "\(time), \(days) days ago"
            return days >= daysMax ? .advice(name, found, do: remedy) : .ok(name, found)
        }
    }
}
