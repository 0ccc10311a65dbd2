import Foundation

/// Leases, beside the Python package that lanes come from.
struct LaneCases {
    let workload: Workload
    /// The program that fills ledgers with entries of the house.
    let samples: String
    /// A Python interpreter with the package; nil where there is none to be had.
    let reference: String?

    static let version = "0.22.0"
    private static let name = "dos-kernel \(version)"
    private static let counts = [100, 10_000, 100_000]

    private var bulla: String { workload.bulla }

    /// - Parameter buildFolder: where the package's virtual environment is kept for the next run.
    init(workload: Workload, samples: String, buildFolder: String) {
        (self.workload, self.samples) = (workload, samples)
        let folder = buildFolder + "/dos-kernel-" + Self.version
        let python = folder + "/bin/python3"
        let isThere = { (try? ChildProcess([python, "-c", "import dos.lane_lease"]).run()) != nil }
        if !isThere() {
            _ = try? ChildProcess(["python3", "-m", "venv", folder]).run()
            _ = try? ChildProcess([python, "-m", "pip", "install", "--quiet", "dos-kernel==" + Self.version]).run()
        }
        reference = isThere() ? python : nil
        if reference == nil { Progress.note("bench: \(Self.name) cannot be had: lanes are measured alone") }
    }

    func run() async throws -> [Row] {
        var rows: [Row] = []
        var ours: [Measurement] = []
        for count in Self.counts {
            let (measured, more) = try await history(count)
            ours.append(measured)
            rows += more
        }
        let (least, most) = (ours[0], ours[ours.count - 1])
        rows.append(
            Row(
                "`lane acquire` and `release` after \(entries(Self.counts.last ?? 0))", ours: Format.time(most.median),
                yardstick: "after \(entries(Self.counts[0])): " + Format.time(least.median), most.ratio(to: least), .atMost(1.2)))
        return rows + (try await replay()) + (try await arbitration())
    }

    /// A verdict beside many live leases, of which none stands against it.
    private func arbitration() async throws -> [Row] {
        let count = 1000
        let samples = samples
        var contenders = [
            Contender("arbitration, \(count) leases") { try Self.seconds(printedBy: [samples, "arbitration", "\(count)"]) }
        ]
        if let reference {
            let workspace = workload.fresh("workspace")
            try Workload.makeFolder(workspace + "/.dos")
            contenders.append(
                Contender("its arbitration, \(count) leases") {
                    try Self.seconds(printedBy: [reference, "-c", Self.arbitrating, workspace, "\(count)"])
                })
        }
        let measured = try await inTurn(contenders)
        let ours = measured[0].median
        let work = "a verdict beside \(count) live leases, in process"
        let time = Row(
            work, ours: Format.time(ours), yardstick: "–", ratio: "–", value: ours, .atMost(1e-3, format: Format.time))
        return [time, row(work, measured[0], measured.count > 1 ? measured[1] : nil, "in one running process", .atLeast(20))]
    }

    /// What a lease costs that many entries of leases after the first.
    private func history(_ count: Int) async throws -> (Measurement, [Row]) {
        let (ledger, workspace) = (workload.fresh("lanes"), workload.fresh("workspace"))
        defer { for path in [ledger, workspace] { Workload.remove(path) } }
        _ = try ChildProcess([bulla, "init", "--ledger", ledger]).run()
        _ = try ChildProcess([samples, "lanes", "\(count + 1)", ledger]).run()
        try Workload.makeFolder(workspace + "/.dos")
        try Self.writeJournal(count, to: workspace + "/.dos/lane-journal.jsonl")
        // The first one keeps a snapshot, if one is due.
        _ = try acquireAndRelease(ledger)

        var contenders = [
            Contender("lane acquire and release, \(count)") { try acquireAndRelease(ledger) },
            Contender("lane acquire, \(count)") { try acquireAndRelease(ledger, onlyAcquire: true) },
        ]
        if let reference {
            let lease = { (verb: String) in
                let command = [
                    reference, "-m", "dos.cli", "--workspace", workspace, "lease-lane", verb, "--lane", "main", "--owner",
                    "bench",
                ]
                return try ChildProcess(command).run().seconds
            }
            contenders += [
                Contender("its acquire and release, \(count)") { try lease("acquire") + lease("release") },
                Contender("its acquire, \(count)") {
                    let seconds = try lease("acquire")
                    _ = try lease("release")
                    return seconds
                },
                Contender("its acquire and release, in process, \(count)") {
                    try Self.seconds(printedBy: [reference, "-c", Self.leasing, workspace])
                },
                Contender("its acquire and release, two bare processes, \(count)") {
                    try ["acquire", "release"].reduce(0) { seconds, verb in
                        seconds + (try ChildProcess([reference, "-c", Self.leasing, workspace, verb]).run().seconds)
                    }
                },
            ]
        }
        let measured = try await inTurn(contenders)
        let bar = Bar.atLeast(count == Self.counts.last ? 20 : 1)
        let work = "`lane acquire` and `release` after \(entries(count)), whole processes"
        var rows = [
            row(work, measured[0], measured.count > 2 ? measured[2] : nil, "the same", bar),
            row(
                "`lane acquire` after \(entries(count)), whole process", measured[1], measured.count > 2 ? measured[3] : nil,
                "the same", bar),
        ]
        // For information: without what it costs Python to start.
        if measured.count > 2 { rows.append(row(work, measured[0], measured[4], "in one running process", nil)) }
        // Without its command line either: Python that imports what it needs, and calls.
        if measured.count > 2 { rows.append(row(work, measured[0], measured[5], "in two processes of `python -c`", .atLeast(1))) }
        return (measured[0], rows)
    }

    /// The live leases of a journal of the reference, and of a ledger of ours as long.
    private func replay() async throws -> [Row] {
        let count = Self.counts.last ?? 0
        let (ledger, journal) = (workload.fresh("replayed"), workload.fresh("journal"))
        defer { for path in [ledger, journal] { Workload.remove(path) } }
        _ = try ChildProcess([bulla, "init", "--ledger", ledger]).run()
        _ = try ChildProcess([samples, "lanes", "\(count + 1)", ledger]).run()
        try Self.writeJournal(count, to: journal)
        var contenders = [
            Contender("lane journal replay", [bulla, "lane", "journal", "replay", "--file", journal]),
            Contender("lane list, folded", [bulla, "lane", "list", "--ledger", ledger]),
        ]
        if let reference {
            contenders += [
                Contender("its replay, in process") { try Self.seconds(printedBy: [reference, "-c", Self.replaying, journal]) },
                Contender("its replay", [reference, "-c", Self.replaying, journal]),
            ]
        }
        let measured = try await inTurn(contenders)
        let works = [
            "`lane journal replay` of its journal, \(entries(count))", "`lane list`, verifying and folding \(entries(count))",
        ]
        let replay = works[0] + ", whole process"
        return works.enumerated().map { index, work in
            row(work, measured[index], measured.count > 2 ? measured[2] : nil, "its replay, in a running process", .atLeast(1))
        } + [row(replay, measured[0], measured.count > 3 ? measured[3] : nil, "its replay, a process of the same", .atLeast(20))]
    }

    private func row(_ work: String, _ ours: Measurement, _ theirs: Measurement?, _ how: String, _ bar: Bar?) -> Row {
        guard let theirs else {
            return Row(work, ours: Format.time(ours.median), yardstick: "–", ratio: "–", value: ours.median, nil)
        }
        return Row(
            work, ours: Format.time(ours.median), yardstick: "\(Self.name), \(how): " + Format.time(theirs.median),
            theirs.ratio(to: ours), bar)
    }

    private func acquireAndRelease(_ ledger: String, onlyAcquire: Bool = false) throws -> Double {
        let author = ["--actor", "process:bench", "--ledger", ledger]
        let acquired = try ChildProcess([bulla, "lane", "acquire", "main"] + author, output: .captured).run()
        // lease ID token N lane …
        let words = acquired.output.split(separator: " ").map(String.init)
        guard words.count > 3 else { throw ChildProcess.Failure(description: "acquire printed \(acquired.output)") }
        let right = ["--lease", words[1], "--token", words[3]]
        let released = try ChildProcess([bulla, "lane", "release"] + right + author).run()
        return acquired.seconds + (onlyAcquire ? 0 : released.seconds)
    }

    private static func seconds(printedBy command: [String]) throws -> Double {
        let output = try ChildProcess(command, output: .captured).run().output
        guard let seconds = Double(output.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw ChildProcess.Failure(description: "the reference printed \(output)")
        }
        return seconds
    }

    private func entries(_ count: Int) -> String { "\(Format.count(count)) entries" }

    private static let leasing = """
        import sys, time
        from dos import config, lane_lease
        workspace = config.load_workspace_config(sys.argv[1])
        start = time.perf_counter()
        if "release" not in sys.argv:
            lane_lease.acquire(workspace, lane="main", kind="", tree=["**/*"], owner="bench")
        if "acquire" not in sys.argv:
            lane_lease.release(workspace, lane="main", owner="bench")
        print(time.perf_counter() - start)
        """
    private static let arbitrating = """
        import sys, time
        from dos import arbiter, config
        workspace = config.load_workspace_config(sys.argv[1])
        live = [
            {"lane": f"lane{n}", "lane_kind": "cluster", "tree": [f"src/lane{n}/**"], "loop_ts": str(n), "holder": "bench"}
            for n in range(int(sys.argv[2]))
        ]
        start = time.perf_counter()
        for _ in range(5):
            decision = arbiter.arbitrate(
                requested_lane="other", requested_kind="cluster", requested_tree=["other/**"], live_leases=live, config=workspace)
        print((time.perf_counter() - start) / 5)
        assert decision.outcome == "acquire", decision.outcome
        """
    private static let replaying = """
        import pathlib, sys, time
        from dos import lane_journal
        start = time.perf_counter()
        lane_journal.replay(lane_journal.read_all(pathlib.Path(sys.argv[1])))
        print(time.perf_counter() - start)
        """

    /// Leases of 50 lanes that come and go.
    private static func writeJournal(_ count: Int, to path: String) throws {
        var text = ""
        for seq in 1...count {
            let lane = (seq - 1) / 2 % 50
            let what =
                #""lane": "lane\#(lane)", "lane_kind": "cluster", "loop_ts": "2026-01-01T00:00:00Z", "pid": 4242, "tree": ["src/lane\#(lane)/**"]"#
            let end = #""seq": \#(seq), "ts": "2026-01-01T00:00:00Z"}"# + "\n"
            if seq % 2 == 1 {
                text +=
                    #"{"host_id": "vm", \#(what), "lease": {"acquired_at": "2026-01-01T00:00:00Z", "holder": "bench", "host_id": "vm", \#(what)}, "#
                text += #""op": "ACQUIRE", "prev_holder": null, "reason": "bench", "ttl_minutes": null, "# + end
            } else {
                text +=
                    #"{"host_id": "vm", "lane": "lane\#(lane)", "loop_ts": "2026-01-01T00:00:00Z", "op": "RELEASE", "reason": "bench", "#
                    + end
            }
        }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }
}
