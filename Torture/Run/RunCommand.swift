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

    @Option(help: "A folder to keep how far the run has come in; with the same seed the next one goes on from there.")
    var state: String?

    @Option(help: "A Markdown file to write the figures to.")
    var report: String?

    mutating func run() async throws {
        let unknown = Set(stages).subtracting(Torture.stages.map(\.name))
        guard unknown.isEmpty else {
            throw ValidationError(
                "unknown stage: \(unknown.sorted().joined(separator: ", ")); known: "
                    + Torture.stages.map(\.name).joined(separator: ", "))
        }
        let setting = setting()
        say("torture: seed \(setting.seed), as much as in `make \(level.rawValue)`" + (minutes.map { ", \($0) minutes" } ?? ""))
        let saved = try state.map { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return folder + "/seed-\(setting.seed).json"
        }
        var session = Session(
            setting: setting, end: minutes.map { Date().addingTimeInterval($0 * 60) }, from: from, count: count,
            saved: Saved(path: saved, seed: setting.seed, level: level))
        let report = try await session.run(
            stages.isEmpty ? Torture.stages : Torture.stages.filter { stages.contains($0.name) })
        say(report.text)
        if let path = self.report { try report.markdown().write(toFile: path, atomically: true, encoding: .utf8) }
        if !report.isGood { throw ExitCode(1) }
    }

    private func setting() -> Setting {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        let beside = program.deletingLastPathComponent().appendingPathComponent("bulla").path
        return Setting(
            level: level, seed: seed ?? UInt64.random(in: 1..<1_000_000_000), bulla: bulla ?? beside, shimmableBulla: beside,
            torture: program.path)
    }
}

extension Level: ExpressibleByArgument {}
