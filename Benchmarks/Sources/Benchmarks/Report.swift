import Foundation

/// The page of figures, from the template and what was measured.
struct Report {
    let machine: Machine
    let workload: Workload
    let rows: [Row]
    let panels: [Panel]

    static let template = "Benchmarks/PERFORMANCE.template.md"
    static let page = "PERFORMANCE.md"
    static let plot = "Benchmarks/plots/cost.svg"

    func page(template: String) -> String {
        let big = workload.big
        let values = [
            "date": Date.now.formatted(.iso8601.year().month().day()),
            "machine": ([machine.processor, machine.memory, machine.system, machine.fileSystem, machine.load] + machine.versions)
                .joined(separator: "; "),
            "rounds": "\(Rounds.usual)",
            "short": "\(Rounds.short)",
            "megabytes": Format.megabytes(big.byteCount),
            "entries": Format.count(big.entryCount),
            "frame": "\(Int((Double(big.byteCount) / Double(big.entryCount)).rounded()))",
            "table": table,
            "missed": missed,
            "growth": growth,
            "plot": Self.plot,
        ]
        return values.reduce(template) { $0.replacingOccurrences(of: "{{\($1.key)}}", with: $1.value) }
    }

    var table: String {
        let head = ["| work | ours | yardstick | ratio | bar | |", "|---|---|---|---|---|---|"]
        let lines = rows.map { row in
            let bar = row.goal?.bar.description ?? "for information"
            let mark = row.goal == nil ? "" : row.shortfall == nil ? "reached" : "**missed**"
            return "| \(row.work) | \(row.ours) | \(row.yardstick) | \(row.ratio) | \(bar) | \(mark) |"
        }
        return (head + lines).joined(separator: "\n")
    }

    var missed: String {
        let shortfalls = rows.compactMap(\.shortfall)
        guard !shortfalls.isEmpty else { return "Nowhere: every bar of the table was reached in this run." }
        return shortfalls.map { "* " + $0 }.joined(separator: "\n")
    }

    var growth: String {
        panels.flatMap { panel in
            panel.curves.map { curve in
                let fit = curve.fit
                let times = curve.points.map(\.seconds)
                let range = "from \(Format.time(times.min() ?? .nan)) to \(Format.time(times.max() ?? .nan))"
                // Of a flat line R² says nothing.
                let quality = panel.showsLinear ? String(format: ", R² %.4f", fit.rSquared) : ""
                return "* \(panel.title), \(curve.name): exponent \(Format.two(fit.exponent))\(quality), \(range)"
            }
        }.joined(separator: "\n")
    }

    /// Writes the page and the plot below a folder, the repository's root for a full run.
    func write(below folder: String, template: String) throws {
        for (path, text) in [(Self.page, page(template: template)), (Self.plot, Plot.svg(panels))] {
            let url = URL(fileURLWithPath: folder).appendingPathComponent(path)
            try Workload.makeFolder(url.deletingLastPathComponent().path)
            try Data(text.utf8).write(to: url)
        }
    }
}
