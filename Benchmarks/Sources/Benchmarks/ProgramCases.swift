/// The program `bulla`, as whole processes beside whole processes.
struct ProgramCases {
    let workload: Workload
    let machine: Machine

    private var bulla: String { workload.bulla }

    func verify() async throws -> [Row] {
        let big = workload.big
        let command = [bulla, "verify", "--ledger", big.path]
        let measured = try await inTurn([
            Contender("openssl dgst -sha256", ["openssl", "dgst", "-sha256"] + big.segments),
            Contender("verify", command),
            Contender("verify --threads 2", command + ["--threads", "2"]),
        ])
        let bars: [Bar?] =
            switch machine.sha256 {
            case .avx512: [.atLeast(0.95), .atLeast(1.8)]
            case .shaNI: [.atLeast(0.65), .atLeast(1.25)]
            case .portable: [nil, nil]
            }
        let yardstick = "`openssl dgst -sha256` " + Format.speed(big.byteCount, in: measured[0].median)
        var rows = (1...2).map { threads in
            Row(
                "`verify --threads \(threads)`, \(Format.megabytes(big.byteCount))",
                ours: Format.speed(big.byteCount, in: measured[threads].median), yardstick: yardstick,
                measured[0].ratio(to: measured[threads]), bars[threads - 1])
        }
        for threads in 1...2 {
            let peaks = try (1...3).map { _ in
                try peakByteCount(of: command + ["--threads", "\(threads)"])
            }
            let peak = peaks.max() ?? 0
            rows.append(
                Row(
                    "peak memory of `verify --threads \(threads)`", ours: Format.megabytes(peak), yardstick: "–", ratio: "–",
                    value: Double(peak), .atMost(64e6, format: { Format.megabytes(Int($0)) })))
        }
        return rows
    }

    private func peakByteCount(of command: [String]) throws -> Int {
        let output = try ChildProcess([workload.yardstick, "peak"] + command, output: .captured).run().output
        guard let kibibytes = Int(output) else { throw ChildProcess.Failure(description: "peak printed \(output)") }
        return kibibytes * 1024
    }

    func ingest() async throws -> [Row] {
        let count = workload.lines.count
        let measured = try await inTurn([
            Contender("ingest") {
                let ledger = workload.fresh("ingest")
                defer { Workload.remove(ledger) }
                _ = try ChildProcess([bulla, "init", "--ledger", ledger]).run()
                return try ChildProcess([bulla, "ingest", "--ledger", ledger, workload.lines.path]).run().seconds
            },
            rows(of: workload.payloads, "SQLite, the same payload"),
            rows(of: workload.lines.path, "SQLite, only the lines"),
            try disk(blockCount: count / 1000),
        ])
        let ours = Format.rate(count, in: measured[0].median)
        let what = [
            "SQLite, 1,000 rows a transaction, the same payload", "SQLite, 1,000 rows a transaction, only the input lines",
            "`pwrite` + `fdatasync` of the same bytes in as many blocks, nothing computed",
        ]
        return (1...3).map { index in
            Row(
                "`ingest` of \(Format.count(count)) lines, durable batches of 1,000", ours: ours,
                yardstick: "\(what[index - 1]): " + Format.rate(count, in: measured[index].median),
                measured[index].ratio(to: measured[0]), index == 1 ? .atLeast(3) : nil)
        }
    }

    /// The payloads' bytes written and synced in blocks: no store that keeps them can be faster.
    private func disk(blockCount: Int) throws -> Contender {
        let byteCount = try Workload.size(of: workload.payloads)
        return Contender("the disk") {
            let folder = workload.fresh("raw")
            defer { Workload.remove(folder) }
            try Workload.makeFolder(folder)
            let command = [workload.yardstick, "raw", "\(blockCount)", "\(byteCount / blockCount)", folder]
            return try ChildProcess(command).run().seconds
        }
    }

    /// SQLite's whole process for a row of each line; like the ledger, the database is there before.
    private func rows(of file: String, _ name: String) -> Contender {
        Contender(name) {
            let folder = workload.fresh("sqlite")
            defer { Workload.remove(folder) }
            try Workload.makeFolder(folder)
            let sqlite = { (count: Int) in [workload.yardstick, "sqlite", "\(count)", "1000", folder, file] }
            _ = try ChildProcess(sqlite(0)).run()
            return try ChildProcess(sqlite(workload.lines.count)).run().seconds
        }
    }

    func append() async throws -> [Row] {
        let (small, million) = (workload.small, workload.million)
        let wal = try database("wal")
        let rollback = try database("delete")
        let measured = try await inTurn(
            [
                appending(to: small), appending(to: million),
                Contender("sqlite3, WAL", wal), Contender("sqlite3, rollback journal", rollback),
            ], rounds: Rounds.short)
        var rows: [Row] = []
        for (index, ledger) in [small, million].enumerated() {
            for (other, mode) in [(2, "WAL"), (3, "rollback journal")] {
                rows.append(
                    Row(
                        "`append`, whole process, to \(entries(ledger))", ours: Format.time(measured[index].median),
                        yardstick: "`sqlite3 db 'insert …'`, \(mode): " + Format.time(measured[other].median),
                        measured[index].ratio(to: measured[other]), other == 2 ? .atMost(2) : nil))
            }
        }
        rows.append(
            Row(
                "`append` to \(entries(million))", ours: Format.time(measured[1].median),
                yardstick: "`append` to \(entries(small)): " + Format.time(measured[0].median),
                measured[1].ratio(to: measured[0]), .atMost(1.1)))
        return rows
    }

    /// `bulla append`; what it costs must not depend on how much lies before.
    private func appending(to ledger: TestLedger) -> Contender {
        Contender(
            "append to \(entries(ledger))",
            [
                bulla, "append", "--ledger", ledger.path, "--actor", "process:bench", "--action", "bench.line",
                "--pillar", "integrity", "--reason", "bench", "--body", Workload.body(1),
            ])
    }

    /// Makes a database in this journal mode; returns the command that inserts one payload.
    private func database(_ mode: String) throws -> [String] {
        let path = workload.fresh("\(mode).db")
        let table = "pragma journal_mode=\(mode); create table log (id integer primary key, payload blob)"
        _ = try ChildProcess(["sqlite3", path, table]).run()
        let payload = try workload.firstPayload()
        return ["sqlite3", path, "pragma synchronous=full; insert into log (payload) values ('\(payload)')"]
    }

    func appendCurve() async throws -> Curve {
        let measured = try await inTurn(workload.byEntries.map(appending(to:)), rounds: Rounds.short)
        return Curve(name: "whole process", points: zip(workload.byEntries, measured).map { (Double($0.entryCount), $1.median) })
    }

    private func entries(_ ledger: TestLedger) -> String {
        ledger.entryCount == 1 ? "1 entry" : "\(Format.count(ledger.entryCount)) entries"
    }

    func start() async throws -> [Row] {
        let measured = try await inTurn(
            [Contender("--version", [bulla, "--version"]), Contender("true", ["/bin/true"])], rounds: Rounds.short)
        let more = measured[0].median - measured[1].median
        return [
            Row(
                "`bulla --version`", ours: Format.time(measured[0].median),
                yardstick: "`/bin/true` " + Format.time(measured[1].median), ratio: Format.time(more) + " more",
                value: more, .atMost(10e-3, format: { Format.time($0) + " more" }))
        ]
    }

    func read() async throws -> [Row] {
        let big = workload.big
        let log = [bulla, "log", "--ledger", big.path, "--json"]
        let filters = [[], ["--actor", "service:bulla"]]
        let measured = try await inTurn(
            [Contender("cat", ["cat"] + big.segments)]
                + filters.map { Contender((["log"] + $0).joined(separator: " "), log + $0) })
        return zip(filters, measured.dropFirst()).map { filter, measurement in
            let speed = Double(big.byteCount) / measurement.median
            return Row(
                "`\((["log", "--json"] + filter).joined(separator: " "))`, \(Format.megabytes(big.byteCount))",
                ours: Format.speed(big.byteCount, in: measurement.median),
                yardstick: "`cat` " + Format.speed(big.byteCount, in: measured[0].median),
                ratio: Format.ratio(measured[0].ratio(to: measurement)), value: speed,
                .atLeast(200e6, format: { Format.speed(Int($0), in: 1) }))
        }
    }
}
