import ArgumentParser
import Foundation

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run stages and print what happened (the default).",
        discussion: "Exit code 1 when a promise was broken, or a fault that should have happened never did.")

    @Option(help: "How much: test (as in `make test`) or torture.")
    var level = Level.test

    @Option(help: "Where all random numbers come from; a run is repeated, or resumed, with its seed.")
    var seed: UInt64?

    @Option(help: "Stop after so many minutes, divided among the stages.")
    var minutes: Double?

    @Option(name: .customLong("stage"), help: "Only this stage; may be repeated.")
    var stages: [String] = []

    @Option(help: "So many cases instead of the level's number.")
    var count: Int?

    @Option(help: "The first case.")
    var from = 0

    @Option(help: "The built bulla (default: beside this program).")
    var bulla: String?

    mutating func run() async throws {
        let unknown = Set(stages).subtracting(Torture.stages.map(\.name))
        guard unknown.isEmpty else {
            throw ValidationError("unknown stage: \(unknown.joined(separator: ", ")); known: \(Torture.stages.map(\.name))")
        }
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let setting = Setting(
            level: level, seed: seed ?? UInt64.random(in: 1..<1_000_000_000),
            bulla: bulla ?? program.deletingLastPathComponent().appendingPathComponent("bulla").path, torture: program.path)
        print("torture: seed \(setting.seed), \(level.rawValue)")
        var report = Report(seed: setting.seed, rows: [])
        var sharesLeft = wanted.reduce(0) { $0 + $1.share }
        let end = minutes.map { Date().addingTimeInterval($0 * 60) }
        for stage in wanted {
            if let obstacle = stage.obstacle() {
                report.rows.append(.init(stage: stage, progress: nil, obstacle: obstacle))
            } else {
                let start = StageProgress(next: from, caseCount: try count.map { $0 + from } ?? stage.caseCount(setting))
                let deadline = end.map { Date().addingTimeInterval($0.timeIntervalSinceNow * stage.share / sharesLeft) }
                let progress = try await StageRun(stage: stage, setting: setting, deadline: deadline).run(from: start)
                report.rows.append(.init(stage: stage, progress: progress))
                print("torture: \(stage.name): \(progress.tally.done) \(stage.unit), \(progress.tally.failures.count) failures")
            }
            sharesLeft -= stage.share
        }
        print(report.text)
        if !report.isGood { throw ExitCode(1) }
    }

    private var wanted: [any Stage] {
        stages.isEmpty ? Torture.stages : Torture.stages.filter { stages.contains($0.name) }
    }
}

extension Level: ExpressibleByArgument {}
