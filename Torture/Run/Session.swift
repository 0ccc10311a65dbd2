import Foundation

/// One run of some stages, one after the other.
struct Session {
    let setting: Setting
    /// When time is up; what a stage does not need goes to those behind it.
    let end: Date?
    let from: Int
    let count: Int?
    var saved: Saved

    /// How much may be lost when a run is stopped from outside.
    private static let sliceSeconds = 60.0

    mutating func run(_ stages: [any Stage]) async throws -> Report {
        var report = Report(seed: setting.seed, level: setting.level)
        var sharesLeft = stages.reduce(0) { $0 + $1.share }
        for stage in stages {
            if let obstacle = stage.obstacle() {
                report.rows.append(.init(stage: stage, level: setting.level, progress: nil, obstacle: obstacle))
                say("torture: \(stage.name): SKIPPED: \(obstacle)")
            } else {
                let deadline = end.map { Date().addingTimeInterval(max(0, $0.timeIntervalSinceNow) * stage.share / sharesLeft) }
                let progress = try await run(stage, until: deadline)
                report.rows.append(
                    .init(stage: stage, level: setting.level, progress: progress, isWhole: count == nil && from == 0))
                say("torture: " + report.line(of: stage, progress))
            }
            sharesLeft -= stage.share
        }
        return report
    }

    private mutating func run(_ stage: any Stage, until deadline: Date?) async throws -> StageProgress {
        let whole = try stage.caseCount(setting)
        let caseCount = count.map { $0 + from } ?? whole
        guard caseCount <= whole else {
            throw HarnessError("\(stage.name) has \(whole) cases at this level and with this seed, and no case \(caseCount - 1)")
        }
        var progress = saved.progress(of: stage.name, caseCount: caseCount) ?? StageProgress(next: from, caseCount: caseCount)
        while !progress.isOver, deadline.map({ Date() < $0 }) ?? true {
            let slice = Date().addingTimeInterval(Self.sliceSeconds)
            progress = try await StageRun(stage: stage, setting: setting, deadline: min(slice, deadline ?? slice)).run(
                from: progress)
            try saved.save(progress, of: stage.name, level: setting.level)
        }
        return progress
    }
}
