import Foundation
import TestSupport

extension Report {
    /// TORTURE.md: what really ran, where and when.
    func markdown() -> String {
        var text = """
            # Torture

            `make torture` tries to break what Bulla promises (design §5) and writes this page. A *fault* is one that really happened: \
            a call that failed, a process that was killed, a byte that was changed. A stage whose fault never happened fails, and so does \
            one in which anything acknowledged is missing. The judges stand outside the engine: the receipts that the harness kept, and \
            `tools/verify_ledger.py`. That the stages can fail, `make canaries` shows.

            * \(Self.date()), commit \(commit), \(Self.machine())
            * seed \(seed), level `\(level.rawValue)`, \(String(format: "%.0f", seconds / 60)) minutes of work: \
            `make torture SEED=\(seed)` resumes it, `--stage NAME --from CASE --count 1` repeats a case
            * \(isGood ? "no promise was broken" : "**promises were broken; the failures are below**")

            | stage | what | done | of what is planned | faults | failures | seconds |
            |---|---|---|---|---|---|---|

            """
        for row in rows {
            guard let progress = row.progress else {
                text += "| \(row.stage.name) | \(row.stage.subject) | skipped: \(row.obstacle ?? "") | | | | |\n"
                continue
            }
            let tally = progress.tally
            text +=
                "| \(row.stage.name) | \(row.stage.subject)\(row.stage.omission(level).map { " (\($0))" } ?? "") "
                + "| \(Self.grouped(tally.done)) \(row.stage.unit) "
                + "| \(row.stage.isEndless ? "no end" : Self.extent(of: row.stage, progress)) | \(Self.grouped(tally.firedCount)) "
                + "| \(tally.failures.count + row.silent.count) | \(String(format: "%.0f", progress.seconds)) |\n"
        }
        text += "\n## Faults that happened\n\n"
        for row in rows {
            guard let tally = row.progress?.tally else { continue }
            let faults = tally.fired.sorted { $0.key < $1.key }.map { "\(Self.grouped($0.value)) × \($0.key)" }
            let undecided = row.undecided.map { ", no \($0) in so few cases" }.joined()
            text += "* **\(row.stage.name)**: \(faults.joined(separator: ", "))\(undecided)\n"
        }
        let failures = rows.flatMap { row in
            row.silent.map { "\(row.stage.name): no \($0) ever happened" }
                + (row.progress?.tally.failures ?? []).map { "\(row.stage.name): \($0)" }
        }
        if !failures.isEmpty { text += "\n## Failures\n\n" + failures.map { "* \($0)\n" }.joined() }
        return text
    }

    private var seconds: Double { rows.reduce(0) { $0 + ($1.progress?.seconds ?? 0) } }

    private static func date() -> String {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withFullDate]
        return formatter.string(from: Date())
    }

    /// What was tried; changes that are not committed are marked.
    static func currentCommit() -> String {
        let git = Program("/usr/bin/env", ["git", "-C", Program.repository, "describe", "--always", "--dirty"])
        return (try? git.run()).flatMap { $0.code == 0 ? $0.lastLine : nil } ?? "unknown"
    }

    /// The kind of machine, in the words of the system; no path of it.
    private static func machine() -> String {
        func lines(_ path: String) -> [Substring] {
            // Files in /proc have no size, and are read to their end.
            guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return [] }
            return String(decoding: data, as: UTF8.self).split(separator: "\n")
        }
        let model = lines("/proc/cpuinfo").first { $0.hasPrefix("model name") }?.split(separator: ":").last ?? "unknown processor"
        let kernel = lines("/proc/sys/kernel/osrelease").first ?? ""
        return "\(ProcessInfo.processInfo.processorCount) cores of \(model.trimmingCharacters(in: .whitespaces)), Linux \(kernel)"
    }
}
