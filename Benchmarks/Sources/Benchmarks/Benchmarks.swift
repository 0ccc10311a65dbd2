import Foundation

/// Measures Bulla beside its yardsticks, and writes the page of figures; see `make bench`.
///
/// A bar that is missed is a figure on that page. Only what cannot be run is an error.
@main
enum Benchmarks {
    /// Smaller runs show that everything works; the page is for the full size.
    private static let fullMegabytes = 1000
    private static let leastMegabytes = 10

    static func main() async {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let megabytes = Int(arguments[3]), megabytes >= leastMegabytes,
            FileManager.default.fileExists(atPath: Report.template)
        else {
            Progress.note(
                "usage: Benchmarks BULLA SAMPLES MEGABYTES BUILD-FOLDER, in the repository, from \(leastMegabytes) MB on")
            exit(64)
        }
        do {
            try await run(bulla: arguments[1], samples: arguments[2], megabytes: megabytes, buildFolder: arguments[4])
        } catch {
            Progress.note("bench: \(error)")
            exit(1)
        }
    }

    private static func run(bulla: String, samples: String, megabytes: Int, buildFolder: String) async throws {
        let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? buildFolder
        let folder = URL(fileURLWithPath: parent).appendingPathComponent("bulla-bench-\(getpid())").path
        try Workload.makeFolder(folder)
        let interrupts = Interrupts.take()
        defer {
            Workload.remove(folder)
            interrupts.forEach { $0.cancel() }
        }
        let machine = try Machine(bulla: bulla, folder: folder)
        let yardstick = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("Yardstick").path
        let workload = try Workload(bulla: bulla, yardstick: yardstick, megabytes: megabytes, folder: folder)
        let report = try await measure(workload, machine, samples: samples, buildFolder: buildFolder)

        let isFull = megabytes >= fullMegabytes
        let target = isFull ? "." : buildFolder
        let template = try String(contentsOfFile: Report.template, encoding: .utf8)
        try report.write(below: target, template: template)
        print(report.table)
        print("\nMissed:\n\(report.missed)\n\nGrowth:\n\(report.growth)")
        Progress.note(
            "\nwritten: \(Report.page) and \(Report.plot)" + (isFull ? "" : " in \(target), because this run was small"))
    }

    private static func measure(_ workload: Workload, _ machine: Machine, samples: String, buildFolder: String) async throws
        -> Report
    {
        let program = ProgramCases(workload: workload, machine: machine)
        let library = LibraryCases(workload: workload)
        let kernel = KernelCases(workload: workload, samples: samples)
        let lanes = LaneCases(workload: workload, samples: samples, buildFolder: buildFolder)
        var rows: [Row] = []
        let cases: [(String, () async throws -> [Row])] = [
            ("verify", program.verify), ("ingest", program.ingest), ("append, in process", library.append),
            ("append, whole process", program.append), ("start", program.start), ("reading back", program.read),
            ("state", kernel.documents), ("lanes", lanes.run),
        ]
        for (name, measure) in cases {
            Progress.note(name)
            rows += try await measure()
        }
        Progress.note("curves")
        let append = try await [library.appendCurve(), program.appendCurve()]
        let verify = try await [library.verifyCurve(threads: 1), library.verifyCurve(threads: 2)]
        let boot = try await library.bootCurve()
        let fold = try await library.foldCurve()
        rows.append(library.boot(boot))
        let bytes = { (size: Double) in
            size < 1e9 ? Format.significant(size / 1e6) + " MB" : Format.significant(size / 1e9) + " GB"
        }
        let size = "ledger size"
        let panels = [
            Panel(
                title: "append", xLabel: "entries in the ledger", xFormat: { Format.significant($0) }, curves: append),
            Panel(title: "verify", xLabel: size, xFormat: bytes, curves: verify, showsLinear: true),
            Panel(title: "boot", xLabel: size, xFormat: bytes, curves: [boot], showsLinear: true),
            Panel(title: "fold", xLabel: size, xFormat: bytes, curves: [fold], showsLinear: true),
        ]
        return Report(machine: machine, workload: workload, rows: rows, panels: panels)
    }
}
