import DurableFiles

/// Simulated machines on which processes write, fail, are killed and lose power.
struct Schedules: Stage {
    let name = "schedules"
    let subject = "simulated crash schedules: unsynchronised writes lost, torn, reordered, misdirected"
    let unit = "schedules"
    let mustFire = [
        "power cut", "kill", "failed sync", "failed call", "short write", "write lost or torn", "cut lost", "name lost",
        "torn tail", "roll", "repeated id", "sector misdirected",
    ]
    let caseCountToFire = 2000
    let share = 6.0

    func caseCount(_ setting: Setting) -> Int { setting.level == .test ? 200_000 : 10_000_000 }
    func worker(_ setting: Setting) -> any Worker { ScheduleWorker() }
}

private struct ScheduleWorker: Worker {
    func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        var schedule = try Schedule(random, tally)
        try await schedule.run()
        tally = schedule.tally
        tally.done += 1
    }
}
