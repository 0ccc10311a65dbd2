import DurableFiles
import Foundation
import Synchronization

/// How far a stage has come.
struct StageProgress: Sendable {
    /// All cases below this one have run.
    var next = 0
    var caseCount: Int
    var tally = Tally()
    var seconds = 0.0

    /// All cases have run.
    var isFinished: Bool { next >= caseCount }
    /// Too much has failed to go on.
    var isHopeless: Bool { tally.failures.count >= 20 }
    var isOver: Bool { isFinished || isHopeless }
}

/// Runs a stage's cases on its workers until they are done, time is up, or too much has failed.
struct StageRun: Sendable {
    let stage: any Stage
    let setting: Setting
    let deadline: Date?

    func run(from progress: StageProgress) async throws -> StageProgress {
        let start = Date()
        let cases = Cases(progress, deadline)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<stage.workerCount { group.addTask { try await work(on: cases) } }
            try await group.waitForAll()
        }
        var progress = cases.progress
        progress.seconds += Date().timeIntervalSince(start)
        return progress
    }

    private func work(on cases: Cases) async throws {
        var worker = try stage.worker(setting)
        while let number = cases.take() {
            var tally = Tally()
            tally.number = number
            var random = SeededGenerator(seed: setting.seed, stream: UInt64(number))
            do {
                try await worker.run(number, &random, &tally)
            } catch {
                tally.fail("the harness itself failed: \(error)")
            }
            cases.add(tally)
        }
    }
}

/// The cases that are left, shared by a stage's workers.
private final class Cases: Sendable {
    private let state: Mutex<StageProgress>
    private let deadline: Date?

    init(_ progress: StageProgress, _ deadline: Date?) {
        state = Mutex(progress)
        self.deadline = deadline
    }

    var progress: StageProgress { state.withLock { $0 } }

    func take() -> Int? {
        if let deadline, Date() >= deadline { return nil }
        return state.withLock { state in
            if state.isOver { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    func add(_ tally: Tally) { state.withLock { $0.tally += tally } }
}
