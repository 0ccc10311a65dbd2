import CanonicalJSON
import DurableFiles
import Foundation
import Ledger
import LedgerFormat

/// Core paths that are swapped under a writer and a reader.
struct Races: Stage {
    let name = "races"
    let subject = "links, FIFOs, other files and older copies swapped in for core paths under a writer and a reader"
    let unit = "races"
    var mustFire: [String] {
        RaceTarget.allCases.map { "at the \($0.rawValue)" } + RaceDisguise.allCases.map { "with \($0.rawValue)" }
            + ["acknowledgement under attack", "refusal", "alert", "audit under attack", "drift under the lock"]
    }
    let caseCountToFire = 100
    /// A writer on one core, the attacker on the other.
    let workerCount = 1

    private static let racesPerCase = 100

    func caseCount(_ setting: Setting) -> Int { (setting.level == .test ? 20_000 : 1_000_000) / Self.racesPerCase }
    func worker(_ setting: Setting) throws -> any Worker {
        RaceWorker(setting: setting, house: try RaceHouse(setting), raceCount: Self.racesPerCase)
    }
}

private struct RaceWorker: Worker {
    let setting: Setting
    let house: RaceHouse
    let raceCount: Int

    /// Operations that an attack lasts at most: when the alert is raised nothing is left to attack.
    private static let operationCountMax = 40

    func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        let target = RaceTarget.allCases[number % RaceTarget.allCases.count]
        let fitting = RaceDisguise.fitting(target)
        let disguise = fitting[number / RaceTarget.allCases.count % fitting.count]
        var bout = 0
        let end = tally.done + raceCount
        while tally.done < end, bout < 1000, tally.failures.isEmpty {
            try await attack(target, disguise, until: end, &random, &tally)
            bout += 1
        }
    }

    /// One attack on a fresh ledger, until the alert is raised or enough races have been run.
    private func attack(
        _ target: RaceTarget, _ disguise: RaceDisguise, until end: Int, _ random: inout SeededGenerator, _ tally: inout Tally
    ) async throws {
        let isTorn = random.below(3) == 0
        var receipts = try house.open(isTorn: isTorn)
        let outside = house.outside()
        let attacker = RaceAttacker(house, target, disguise, SeededGenerator(seed: random.next()))
        var isLocked = false
        var operationCount = 0
        while !isLocked, operationCount < Self.operationCountMax, tally.done + attacker.raceCount < end {
            operationCount += 1
            if random.below(4) == 0 {
                await attacker.during { await audit() }
                tally.fire("audit under attack")
            } else {
                var code: ErrorCode?
                let before = receipts.count
                await attacker.during { code = write(1 + random.below(3), &receipts) }
                tally.fire("acknowledgement under attack", receipts.count - before)
                if code != nil { tally.fire("refusal") }
                if code == .locked { isLocked = true }
            }
        }
        if let failure = attacker.end() { tally.fail("\(target.rawValue), \(disguise.rawValue): \(failure)") }
        tally.done += attacker.raceCount
        tally.fire("at the \(target.rawValue)", attacker.raceCount)
        tally.fire("with \(disguise.rawValue)", attacker.raceCount)
        if isLocked { tally.fire("alert") }
        var wrong = try isLocked ? [] : lastingSwap(target, disguise, &receipts, &tally)
        if house.outside() != outside || house.takeBaitTouched() { wrong.append("what lies outside was changed") }
        wrong += try disguise == .olderCopy ? forkComplaints(receipts) : await complaints(receipts, isTorn: isTorn)
        for complaint in wrong { tally.fail("\(target.rawValue), \(disguise.rawValue): \(complaint)") }
    }

    /// Under a writer that has the lock already a path is swapped and stays so: he must notice before he answers.
    private func lastingSwap(
        _ target: RaceTarget, _ disguise: RaceDisguise, _ receipts: inout [String], _ tally: inout Tally
    ) throws -> [String] {
        var session = WriterSession(try POSIXStorage(path: house.base), .system)
        do throws(LedgerError) {
            try session.acquire()
        } catch {
            // A whole older copy may have been written on, and HEAD vouch for that.
            return error.code == .locked || disguise == .olderCopy ? [] : ["with the true files back: \(error)"]
        }
        defer { session.release() }
        receipts.append(try commit(0, &session))
        var answer: String?
        try house.swap(target, disguise) { answer = try? commit(1, &session) }
        guard let answer else {
            tally.fire("drift under the lock")
            return []
        }
        receipts.append(answer)
        // HEAD is replaced by design: whoever has the lock looks at it when he replaces it.
        return target == .head ? [] : ["acknowledged while the path led elsewhere: \(answer)"]
    }

    private func commit(_ number: Int, _ session: inout WriterSession) throws -> String {
        let draft = try Draft(
            action: "torture.race", actor: "process:race", justification: Justification(.resilience, "torture"),
            body: ["n": .number(Double(number))])
        return try session.commit([[draft]])[0].get().receipts[0].line
    }

    /// Opens, records some entries and closes; why it stopped, if it did.
    private func write(_ count: Int, _ receipts: inout [String]) -> ErrorCode? {
        do {
            var session = WriterSession(try POSIXStorage(path: house.base), .system)
            try session.acquire()
            defer { session.release() }
            for number in 0..<count {
                receipts.append(try commit(number, &session))
            }
            return nil
        } catch let error as LedgerError {
            return error.code
        } catch {
            return .refused
        }
    }

    /// A reader may find anything while paths are swapped; it must come back.
    private func audit() async {
        guard let storage = try? POSIXStorage(path: house.base) else { return }
        _ = try? await Audit(.system).run(storage)
    }

    /// With the true files back in their places everything that was acknowledged verifies, alert or not.
    private func complaints(_ receipts: [String], isTorn: Bool) async throws -> [String] {
        var audit = Audit(.system)
        audit.receipts = receipts.compactMap { Receipt(line: $0) }
        let report = try await audit.run(try POSIXStorage(path: house.base))
        var complaints = try LedgerFiles(house.base).complaints(receipts: receipts)
        // Under an alert no tail counts as torn: the one of the beginning is damage then.
        let isOldTail = isTorn && report.head?.alert == true && report.verdict == .tampered && report.place.seq == 3
        if ![.intact, .torn].contains(report.verdict), !isOldTail { complaints.append(report.verdictLine) }
        complaints += report.receipts.compactMap(\.failure)
        return complaints
    }

    /// Who may swap in a whole copy forks the ledger, and only receipts that meet can tell: each entry is in one of the two.
    private func forkComplaints(_ receipts: [String]) throws -> [String] {
        let hashes = Set(try (LedgerFiles(house.base).entries + LedgerFiles(house.copiedLedger).entries).map(\.hash))
        let lost = receipts.filter { !hashes.contains(String($0.split(separator: "/")[3])) }
        return lost.map { "acknowledged and not there: \($0)" }
    }
}
