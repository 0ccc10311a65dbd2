import DurableFiles
import LedgerFormat

// The ledger itself
extension Checkup {
    private static let keyDaysMax: Int64 = 365

    static func key(_ facts: DoctorFacts) -> [Finding] {
        let name = "key"
        guard let id = facts.keyID else { return [.unknown(name, "no first entry says which one it is")] }
        // One that others can read is there, and a fault of its permissions.
        let file = facts.files.first { $0.path.directory == Layout.keys.name && $0.path.name == SealingKey.fileName(id) }
        if let absence = facts.keyAbsence, file == nil || file.map({ $0.status.mode & 0o077 == 0 }) == true {
            return [.problem(name, "\(id): \(absence)", do: "without its key nothing can be written, and no seal checked")]
        }
        // A file that was put back is younger than the key.
        guard let since = [facts.keyFirstUsed, facts.keyFileTime].compactMap({ $0 }).min(), since <= facts.now else {
            return [.ok(name, "\(id), of unknown age")]
        }
        let days = days(from: since, to: facts.now)
        let found = "\(id), in use for \(days) days"
        if days > keyDaysMax { return [.advice(name, found, do: "take a new sealing key once a year")] }
        return [.ok(name, found)]
    }

    static func head(_ facts: DoctorFacts) -> [Finding] {
        let name = "HEAD"
        switch facts.end {
        case .unreadable(let why): return [.problem(name, why, do: "bulla verify names the place, bulla inspect shows it")]
        case .faultyHead(let fault):
            return [
                .problem(name, fault.description, do: "bulla verify shows how far the ledger is whole; nothing is written to it")
            ]
        case .whole(let head, let tipSeq, _):
            if head.alert {
                return [
                    .problem(
                        name, "the alert is raised: nothing is written",
                        do:
                            "bulla verify shows why, if it still does; bulla repair --yes mends what is damaged, and releases the alert, "
                            + "which in a ledger with associates is theirs to do: bulla alert status"
                    )
                ]
            }
            let lag =
                tipSeq > head.seq
                ? "\(tipSeq - head.seq) entries lie behind it, for the next writer to adopt" : "nothing lies behind it"
            return [.ok(name, "vouches for all up to seq \(head.seq); \(lag)")]
        }
    }

    static func leftovers(_ facts: DoctorFacts) -> [Finding] {
        let name = "leftovers"
        let faults = facts.files.compactMap { file -> Finding? in
            let path = "\(facts.basePath)/\(file.path)"
            if file.path == SyncTiming.path {
                return .advice(
                    name, "\(path) is of a doctor that was stopped, or is at work", do: "rm \(word(path)), if none is at work")
            }
            if file.path == Layout.repair {
                return .advice(
                    name, "\(path) is the plan of a repair that was stopped", do: "run bulla repair --yes: it goes on there")
            }
            if file.path.name.hasSuffix(".new"), file.path.directory != Layout.keys.name {
                return .advice(
                    name, "\(path) is left from a replacement that was stopped", do: "nothing: the next replacement removes it")
            }
            if file.path.directory == Layout.quarantine.name, Evidence(pendingName: file.path.name) != nil {
                return .advice(name, "\(path) is evidence that no entry names yet", do: "nothing: the next writer records it")
            }
            if file.path.directory == Layout.ledger.name, SegmentName.firstSeq(file: file.path.name) == nil {
                return .advice(name, "\(path) is no segment, and means nothing", do: "find out who put it there")
            }
            return nil
        }
        return summary(faults + facts.orphans.map { orphan($0, name) }, else: .ok(name, "none"))
    }

    private static func orphan(_ orphan: Orphan, _ name: String) -> Finding {
        let what = "\(orphan.path) is left from an init or a backup that was stopped; a copy of the sealing key may lie in it"
        let remedy = "rm -r \(word(orphan.path))"
        guard let obstacle = orphan.obstacle else {
            return .advice(name, what, do: remedy + ", or let the next init or backup beside it do that")
        }
        return .advice(name, "\(what); \(obstacle)", do: remedy + ", if it is yours and nobody works there")
    }

    static func lock(_ facts: DoctorFacts) -> [Finding] {
        let name = "lock"
        guard let holder = facts.lockHolder else { return [.ok(name, "nobody is writing")] }
        let who = "process \(holder.process) (\(holder.command))"
        if holder.isStopped {
            return [
                .problem(name, "\(who) has it and is stopped: nobody can write", do: "kill -CONT \(holder.process), or end it")
            ]
        }
        return [.ok(name, "\(who) is writing")]
    }
}
