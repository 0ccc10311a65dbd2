import ArgumentParser
import Foundation
import PlantedDefects
import TestSupport

struct CanariesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "canaries",
        abstract: "Plant one defect after the other, and see that a test notices each, and that each stage notices one.",
        discussion: """
            Needs a build with `--traits PlantedDefects`, and the tests built beside this program. Exit code 1 when a defect \
            goes unnoticed, or a catcher fails with nothing planted.
            """)

    @Argument(help: "Only these defects.")
    var names: [String] = []

    @Option(help: "The seed of the stages.")
    var seed: UInt64 = 1

    mutating func run() async throws {
        #if !PlantedDefects
            throw ValidationError("this build has no planted defects: build with --traits PlantedDefects")
        #else
            let wanted = try Set(names.map(Self.defect))
            let canaries = Canary.all.filter { wanted.isEmpty || wanted.contains($0.defect) }
            let catchers = Array(Set(canaries.map(\.catcher)))
            let catching = Catching(seed: seed)
            let soundCount = await inParallel(catchers) { catcher in
                let result = catching.run(catcher, with: nil)
                return (result.failed == nil && !result.isLate, "nothing planted", catcher, result)
            }
            let caughtCount = await inParallel(canaries) { canary in
                let result = catching.run(canary.catcher, with: canary.defect)
                return (result.failed != nil, canary.defect.rawValue, canary.catcher, result)
            }
            say(
                "canaries: \(caughtCount) of \(canaries.count) were noticed; \(soundCount) of \(catchers.count) catchers pass with nothing planted"
            )
            if soundCount != catchers.count || caughtCount != canaries.count { throw ExitCode(1) }
        #endif
    }

    private static func defect(_ name: String) throws -> PlantedDefect {
        guard let defect = PlantedDefect(rawValue: name) else { throw ValidationError("no planted defect is called \(name)") }
        return defect
    }

    /// Two at a time; prints a line for each, and counts the good ones.
    private func inParallel<Item: Sendable>(
        _ items: [Item], _ run: @escaping @Sendable (Item) -> (isGood: Bool, what: String, by: Catcher, Catching.Result)
    ) async -> Int {
        await withTaskGroup(of: (isGood: Bool, what: String, by: Catcher, Catching.Result).self) { group in
            var good = 0
            var started = 0
            for item in items.prefix(2) { group.addTask { run(item) } }
            started = min(2, items.count)
            while let (isGood, what, by, result) = await group.next() {
                good += isGood ? 1 : 0
                let name = what + String(repeating: " ", count: max(1, 30 - what.count))
                say(
                    "\(isGood ? "ok    " : "FAILED") \(name)\(result.failed ?? (result.isLate ? "(time ran out)" : "passes"))  [\(by)]"
                )
                if started < items.count {
                    let item = items[started]
                    started += 1
                    group.addTask { run(item) }
                }
            }
            return good
        }
    }
}

extension Catcher: CustomStringConvertible {
    var description: String {
        switch self {
        case .tests(let pattern): pattern
        case .stage(let name, let count): "\(count) cases of \(name)"
        }
    }
}

/// Runs tests or a stage with a defect planted, and reads what failed.
struct Catching: Sendable {
    let seed: UInt64

    struct Result: Sendable {
        /// The first test that failed; nil when all passed.
        var failed: String?
        /// It did not end: that is no catch.
        var isLate = false
    }

    private static let secondsMax = "240"

    func run(_ catcher: Catcher, with defect: PlantedDefect?) -> Result {
        let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        let command: [String]
        switch catcher {
        case .tests(let pattern):
            command = [folder + "/bullaPackageTests.xctest", "--testing-library", "swift-testing", "--filter", pattern]
        case .stage(let name, let count):
            command = [folder + "/Torture", "--stage", name, "--count", "\(count)", "--seed", "\(seed)"]
        }
        let program = Program("/usr/bin/env", ["timeout", "-s", "KILL", Self.secondsMax] + command)
        do {
            let result = try program.run(environment: defect.map { ["BULLA_PLANTED_DEFECT": $0.rawValue] } ?? [:])
            if result.code == 0 { return Result(failed: Self.ran(result.output) ? nil : "no test ran") }
            if result.code == 137 { return Result(isLate: true) }
            if let failure = Self.firstFailure(result.output + "\n" + result.error) { return Result(failed: failure) }
            // A test may stop the process by a precondition of the engine; a stage that stops has found nothing.
            if case .stage = catcher { return Result() }
            return Result(failed: "stopped with \(result.code) in \(Self.lastStarted(result.output) ?? "no test")")
        } catch {
            return Result(isLate: true)
        }
    }

    private static func ran(_ output: String) -> Bool {
        !output.contains("with 0 tests")
    }

    private static func lastStarted(_ output: String) -> String? {
        output.split(separator: "\n").last { $0.contains(" started.") }.map { String($0.dropFirst(2).prefix(100)) }
    }

    private static func firstFailure(_ output: String) -> String? {
        for line in output.split(separator: "\n") {
            if let match = line.firstMatch(of: #/Test (.+?) recorded an issue/#) { return String(match.1.prefix(100)) }
            if line.contains(": FAILED: ") { return String(line.prefix(100)) }
        }
        return nil
    }
}
