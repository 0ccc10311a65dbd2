import DurableFiles
import Foundation
import FuzzProperties
import TestSupport

/// Runs slices of fuzzing; two of the same target may run at once, on one corpus.
struct FuzzWorker: Worker {
    let folder: FuzzFolder
    let seconds: Int

    /// After so many slices of a target its corpus is reduced to what is needed for the same coverage.
    private static let mergePeriod = 50

    func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        let target = FuzzTarget.allCases[number % FuzzTarget.allCases.count]
        let slice = number / FuzzTarget.allCases.count
        if slice % Self.mergePeriod == Self.mergePeriod - 1 { try merge(target, number) }
        try FileManager.default.createDirectory(at: folder.artifacts(target), withIntermediateDirectories: true)
        // 0 would mean: any.
        let seed = UInt32(truncatingIfNeeded: random.next()) | 1
        var folders = [folder.corpus(target).path]
        if FileManager.default.fileExists(atPath: folder.regressions(target).path) {
            folders.append(folder.regressions(target).path)
        }
        let result = try fuzz(
            target,
            [
                "-max_total_time=\(seconds)", "-seed=\(seed)", "-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048",
                "-max_len=\(target.byteCountMax)", "-dict=\(folder.dictionary(target).path)", "-verbosity=1",
                "-artifact_prefix=\(folder.artifacts(target).path)/", "-reload=1", "-use_value_profile=\(slice % 2)",
            ] + folders)
        let executions = Self.executionCount(result.error)
        tally.done += executions
        tally.fire("execution of \(target.rawValue)", executions)
        tally.fire("instrumented start", result.error.contains("INFO: Loaded 1 modules") ? 1 : 0)
        if result.code != 0 {
            tally.fail("\(target.rawValue), -seed=\(seed): exit code \(result.code): \(Self.reason(result.error))")
        } else if executions == 0 {
            tally.fail("\(target.rawValue), -seed=\(seed): nothing was executed")
        }
    }

    private func fuzz(_ target: FuzzTarget, _ arguments: [String]) throws -> Program.Result {
        try Program(folder.program.path, arguments).run(
            environment: ["BULLA_FUZZ_TARGET": target.rawValue, "SWIFT_BACKTRACE": "enable=no"])
    }

    /// Puts a smaller corpus in the place of the old one; while another slice reads it, that is only less than it could have had.
    private func merge(_ target: FuzzTarget, _ number: Int) throws {
        let corpus = folder.corpus(target)
        let (merged, old) = (corpus.appendingPathExtension("merged-\(number)"), corpus.appendingPathExtension("old-\(number)"))
        try FileManager.default.createDirectory(at: merged, withIntermediateDirectories: true)
        let result = try fuzz(target, ["-merge=1", "-max_len=\(target.byteCountMax)", merged.path, corpus.path])
        guard result.code == 0 else { return try FileManager.default.removeItem(at: merged) }
        try FileManager.default.moveItem(at: corpus, to: old)
        try FileManager.default.moveItem(at: merged, to: corpus)
        try FileManager.default.removeItem(at: old)
    }

    static func executionCount(_ log: String) -> Int {
        let name = "stat::number_of_executed_units:"
        guard let line = log.split(separator: "\n").last(where: { $0.hasPrefix(name) }) else { return 0 }
        return Int(line.dropFirst(name.count).trimmingCharacters(in: .whitespaces)) ?? 0
    }

    /// The broken property and the kept input, of all that a fuzzer says.
    private static func reason(_ log: String) -> String {
        let marks = ["Fatal error", "ERROR:", "SUMMARY", "Test unit written to", "ALARM"]
        let lines = log.split(separator: "\n").filter { line in marks.contains { line.contains($0) } }
        return lines.isEmpty ? String(log.suffix(300)) : lines.map { String($0.prefix(600)) }.joined(separator: "; ")
    }
}
