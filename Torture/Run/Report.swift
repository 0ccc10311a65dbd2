import Foundation

/// The table at the end of a run.
struct Report: Sendable {
    struct Row: Sendable {
        var stage: any Stage
        /// Nil when it could not run here.
        var progress: StageProgress?
        var obstacle: String?

        /// Faults that never happened though all cases ran.
        var silent: [String] {
            guard let progress, progress.isFinished else { return [] }
            return stage.mustFire.filter { progress.tally.fired[$0] == nil }
        }

        var isGood: Bool { silent.isEmpty && progress?.tally.failures.isEmpty ?? true }
    }

    var seed: UInt64
    var rows: [Row]

    var isGood: Bool { rows.allSatisfy(\.isGood) }

    /// One line a stage, and one for each failure.
    var text: String {
        var lines = [Self.columns(["stage", "done", "of", "faults", "failures", "seconds"])]
        for row in rows {
            guard let progress = row.progress else {
                lines.append("\(row.stage.name): SKIPPED: \(row.obstacle ?? "")")
                continue
            }
            let tally = progress.tally
            lines.append(
                Self.columns([
                    row.stage.name, "\(tally.done) \(row.stage.unit)",
                    progress.isFinished ? "all" : "\(progress.caseCount) cases",
                    "\(tally.firedCount)", "\(tally.failures.count)", String(format: "%.0f", progress.seconds),
                ]))
        }
        for row in rows {
            guard let tally = row.progress?.tally else { continue }
            lines.append("\(row.stage.name): " + Self.faults(tally))
            for fault in row.silent { lines.append("\(row.stage.name): FAILED: no \(fault) ever happened") }
            for failure in tally.failures.prefix(20) { lines.append("\(row.stage.name): FAILED: \(failure)") }
        }
        return lines.joined(separator: "\n")
    }

    static func faults(_ tally: Tally) -> String {
        tally.fired.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
    }

    private static func columns(_ cells: [String]) -> String {
        let widths = [16, 26, 16, 10, 9, 8]
        return zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: max(1, width - cell.count))
        }.joined().replacing(#/ +$/#, with: "")
    }
}
