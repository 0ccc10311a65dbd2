import DurableFiles

/// Eight writing processes on one ledger, killed and stopped at random.
struct Processes: Stage {
    let name = "processes"
    let subject = "eight writing processes on one ledger under random SIGKILL, SIGSTOP and SIGCONT"
    let unit = "acknowledgements"
    let mustFire = [
        "SIGKILL", "SIGSTOP", "killed holder of the lock", "busy (75)", "stopped holder kept the lock", "repeated id",
        "whole ingest",
    ]
    let caseCountToFire = 20
    let share = 3.0
    /// The processes fill the machine.
    let workerCount = 1

    private static let acknowledgementsPerRound = 2500

    func caseCount(_ setting: Setting) -> Int { (setting.level == .test ? 50_000 : 1_000_000) / Self.acknowledgementsPerRound }
    func worker(_ setting: Setting) -> any Worker {
        RoundsWorker(setting: setting, acknowledgementCount: Self.acknowledgementsPerRound)
    }
}

private struct RoundsWorker: Worker {
    let setting: Setting
    let acknowledgementCount: Int

    func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        var round = try ProcessRound(setting, random, tally)
        defer { tally = round.tally }
        try round.run(until: acknowledgementCount)
    }
}
