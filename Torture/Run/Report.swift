import Foundation

/// What a run came to.
struct Report: Sendable {
    struct Row: Sendable {
        var stage: any Stage
        var level: Level
        /// Nil when it could not run here.
        var progress: StageProgress?
        var obstacle: String?
        /// Not some cases only, picked by hand.
        var isWhole = true

        /// Faults that never happened though all cases ran, or enough of them.
        var silent: [String] {
            guard let progress, isWhole else { return [] }
            if progress.tally.done == 0 { return ["case"] }
            return isDue(progress) ? absent(progress) : []
        }

        /// Faults that did not happen in the few cases there was time for.
        var undecided: [String] {
            guard let progress, isWhole, !isDue(progress), progress.tally.done > 0 else { return [] }
            return absent(progress)
        }

        private func isDue(_ progress: StageProgress) -> Bool {
            progress.isFinished || progress.next >= stage.caseCountToFire
        }

        private func absent(_ progress: StageProgress) -> [String] {
            let faults = stage.mustFire + (level == .torture ? stage.mustFireInTorture : [])
            return faults.filter { progress.tally.fired[$0] == nil }
        }

        var isGood: Bool { silent.isEmpty && progress?.tally.failures.isEmpty ?? true }
    }

    let seed: UInt64
    let level: Level
    /// As it was when the run began.
    let commit = Self.currentCommit()
    var rows: [Row] = []

    init(seed: UInt64, level: Level) {
        self.seed = seed
        self.level = level
    }

    var isGood: Bool { rows.allSatisfy(\.isGood) }

    /// One line a stage, and one for each failure.
    var text: String {
        var lines = [Self.columns(["stage", "done", "of all", "faults", "failures", "seconds"])]
        for row in rows {
            lines.append(
                row.progress.map { line(of: row.stage, $0) } ?? "\(row.stage.name): SKIPPED: \(row.obstacle ?? "")")
        }
        for row in rows {
            guard let tally = row.progress?.tally else { continue }
            for fault in row.silent { lines.append("\(row.stage.name): FAILED: no \(fault) ever happened") }
            if !row.undecided.isEmpty {
                lines.append("\(row.stage.name): too short to say more of: no \(row.undecided.joined(separator: ", no "))")
            }
            for failure in tally.failures.prefix(20) { lines.append("\(row.stage.name): FAILED: \(failure)") }
        }
        let skipped = rows.filter { $0.progress == nil }.map(\.stage.name)
        let conclusion =
            isGood
            ? "no promise was broken; seed \(seed)" : "FAILED; repeat with --seed \(seed) --stage NAME --from CASE --count 1"
        lines.append("torture: " + conclusion + (skipped.isEmpty ? "" : "; SKIPPED: " + skipped.joined(separator: ", ")))
        return lines.joined(separator: "\n")
    }

    func line(of stage: any Stage, _ progress: StageProgress) -> String {
        Self.columns([
            stage.name, "\(Self.grouped(progress.tally.done)) \(stage.unit)", Self.extent(of: stage, progress),
            Self.grouped(progress.tally.firedCount), "\(progress.tally.failures.count)", String(format: "%.0f", progress.seconds),
        ]) + (stage.omission(level).map { "  (\($0))" } ?? "")
    }

    /// How much of what was planned ran.
    static func extent(of stage: any Stage, _ progress: StageProgress) -> String {
        if progress.isFinished { return "all" }
        if stage.isEndless { return "on" }
        return String(format: "%.1f %%", 100 * Double(progress.next) / Double(max(progress.caseCount, 1)))
    }

    private static func columns(_ cells: [String]) -> String {
        let widths = [16, 28, 8, 14, 9, 8]
        return zip(cells, widths).map { cell, width in
            cell + String(repeating: " ", count: max(1, width - cell.count))
        }.joined().replacing(#/ +$/#, with: "")
    }

    static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
