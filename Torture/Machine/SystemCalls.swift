import DurableFiles
import Foundation
import Synchronization

/// Programs that are killed or failed at each of their system calls.
final class SystemCalls: Stage {
    let name = "system-calls"
    let subject =
        "SIGKILL, EIO, ENOSPC and short writes at every system call of init, append, roll, recovery, key rotate, key retire, repair, backup, state, restore, snapshot, archive, lane acquire, constitution adopt, alert release and patch approve"
    let unit = "faults"
    let mustFire = [
        "SIGKILL in init", "SIGKILL in append", "SIGKILL in roll", "SIGKILL in recovery", "SIGKILL in rotation",
        "SIGKILL in retirement", "SIGKILL in repair", "SIGKILL in backup", "SIGKILL in change", "SIGKILL in restoration",
        "SIGKILL in snapshot", "SIGKILL in archive", "SIGKILL in lane", "SIGKILL in adoption",
        "SIGKILL in release", "SIGKILL in patching", "EIO", "ENOSPC", "short write",
        "short write, then ENOSPC", "refused with 30", "HEAD lags",
    ]
    let mustFireInTorture = ["second SIGKILL"]
    /// Six rounds of each kind of fault in each scene.
    let caseCountToFire = 400
    let share = 2.0

    /// What can be done to a call.
    enum Fault: Sendable, Hashable {
        case kill
        case fail(String)
        case short(byteCount: Int, thenFull: Bool)
        /// A kill, and then kills at every changing call of the next writer; then an undisturbed one.
        case killTwice

        /// Without the numbers.
        var kind: String {
            switch self {
            case .kill: "SIGKILL"
            case .killTwice: "second SIGKILL"
            case .fail(let error): error
            case .short(_, let thenFull): thenFull ? "short write, then ENOSPC" : "short write"
            }
        }
    }

    struct Case: Sendable {
        var scene: Int
        var fault: Fault
        var call: SystemCall
    }

    private struct Plan: Sendable {
        var scenes: SystemCallScenes
        var cases: [Case]
    }

    private let plan = Mutex<Plan?>(nil)
    /// Disks that a first kill has left already, and whose second kills are done.
    private let seen = Mutex<Set<[String]>>([])

    func obstacle() -> String? {
        if !Strace.isHere { return "this needs strace, and the permission to trace" }
        return ShortWrites.compiler == nil ? "this needs a C compiler for the shim that makes writes short" : nil
    }

    func omission(_ level: Level) -> String? {
        "the Python judge looks at one case in \(SystemCallWorker.casesPerJudgement)"
            + (level == .test ? ", and no close is hindered" : "")
    }

    func caseCount(_ setting: Setting) throws -> Int { try made(setting).cases.count }

    func worker(_ setting: Setting) throws -> any Worker {
        let plan = try made(setting)
        return SystemCallWorker(setting: setting, scenes: plan.scenes, cases: plan.cases, place: try Workplace()) { shape in
            self.seen.withLock { $0.insert(shape).inserted }
        }
    }

    private func made(_ setting: Setting) throws -> Plan {
        try plan.withLock { plan in
            if let plan { return plan }
            let scenes = try SystemCallScenes(setting)
            let made = Plan(scenes: scenes, cases: Self.cases(scenes, setting.level))
            plan = made
            return made
        }
    }

    private static func cases(_ scenes: SystemCallScenes, _ level: Level) -> [Case] {
        var cases: [Case] = []
        for (index, scene) in scenes.all.enumerated() {
            for call in scene.calls {
                // A descriptor that is closed leaves nothing to go wrong, but the call counts at the full level.
                if call.name == "close", level == .test { continue }
                cases.append(Case(scene: index, fault: .kill, call: call))
                cases.append(Case(scene: index, fault: .fail("EIO"), call: call))
                if call.isChange { cases.append(Case(scene: index, fault: .fail("ENOSPC"), call: call)) }
                if call.name == "pwrite64" {
                    let stride = level == .test ? max(1, call.byteCount / 3) : max(1, call.byteCount / 600)
                    for byteCount in Swift.stride(from: 1, to: call.byteCount, by: stride) {
                        for full in [false, true] {
                            cases.append(Case(scene: index, fault: .short(byteCount: byteCount, thenFull: full), call: call))
                        }
                    }
                }
                if level == .torture, scene.verb != .initialization {
                    cases.append(Case(scene: index, fault: .killTwice, call: call))
                }
            }
        }
        return inRounds(cases)
    }

    /// One of each kind of fault in each scene, then another one of each: most cases are short writes, and a run that does not come
    /// to the end has tried all kinds. Second kills, many to a case, are in every fourth round.
    private static func inRounds(_ cases: [Case]) -> [Case] {
        struct Kind: Hashable {
            var scene: Int
            var fault: String
        }
        var order = SeededGenerator(seed: 1)
        var counts: [Kind: Int] = [:]
        var rounds: [[Case]] = []
        for this in cases.shuffled(using: &order) {
            let kind = Kind(scene: this.scene, fault: this.fault.kind)
            let round = counts[kind, default: 0]
            counts[kind] = round + (this.fault == .killTwice ? 4 : 1)
            while round >= rounds.count { rounds.append([]) }
            rounds[round].append(this)
        }
        return Array(rounds.joined())
    }
}
