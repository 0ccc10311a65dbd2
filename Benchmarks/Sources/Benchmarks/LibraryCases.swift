import Bulla
import Foundation

/// The library `Bulla`, in this process, beside loops in C.
struct LibraryCases {
    let workload: Workload

    private static let count = 1000
    private static let blockByteCount = 450
    private static let taskCount = 64

    func append() async throws -> [Row] {
        let count = Self.count
        let tasks = Self.taskCount
        let each = count * 4 / tasks
        let measured = try await inTurn([
            Contender("\(count) appends") {
                try await withFreshWriter { writer in
                    for number in 1...count { try await writer.append(Self.event(number)) }
                }
            },
            Contender("\(tasks) tasks, \(each) appends each") {
                try await withFreshWriter { writer in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 1...tasks {
                            group.addTask { for number in 1...each { try await writer.append(Self.event(number)) } }
                        }
                        try await group.waitForAll()
                    }
                }
            },
            Contender("\(tasks) tasks, \(each) calls each of a thread that answers") {
                let echo = Echo()
                defer { echo.end() }
                return await Task.detached {
                    let start = ContinuousClock.now
                    await withTaskGroup(of: Void.self) { group in
                        for _ in 1...tasks { group.addTask { for _ in 1...each { await echo.call() } } }
                    }
                    return start.secondsSince
                }.value
            },
            loop("raw pwrite + fdatasync") { ["raw", "\(count)", "\(Self.blockByteCount)", $0] },
            loop("SQLite, one row a transaction") { ["sqlite", "\(count)", "1", $0, workload.payloads] },
        ])
        let (alone, together, echoed, raw, sqlite) = (measured[0], measured[1], measured[2], measured[3], measured[4])
        let single = { (measurement: Measurement) in Format.time(measurement.median / Double(count)) }
        let work = "one durable append at a time, in process"
        return [
            Row(
                work, ours: single(alone), yardstick: "`pwrite` + `fdatasync` of \(Self.blockByteCount) bytes: " + single(raw),
                raw.ratio(to: alone), .atLeast(0.95)),
            Row(
                work, ours: single(alone), yardstick: "SQLite, one row a transaction: " + single(sqlite),
                sqlite.ratio(to: alone), .atLeast(1.05)),
            Row(
                "\(tasks) tasks, each awaits its own appends", ours: Format.rate(each * tasks, in: together.median),
                yardstick: "\(tasks) × `pwrite` + `fdatasync`: " + Format.rate(count * tasks, in: raw.median),
                raw.ratio(to: together) * (Double(each) / Double(count)), .atLeast(0.5)),
            Row(
                "\(tasks) tasks, each awaits its own appends", ours: Format.rate(each * tasks, in: together.median),
                yardstick: "the same tasks await a thread that answers, and nothing is recorded: "
                    + Format.rate(each * tasks, in: echoed.median),
                echoed.ratio(to: together), nil),
        ]
    }

    private static func event(_ number: Int) throws(LedgerFailure) -> Event {
        try Event(
            action: "bench.line", actor: "process:bench", pillar: .integrity, reason: "bench", body: Workload.body(number))
    }

    /// The seconds of the work, without making, opening and closing the ledger.
    ///
    /// It is a task's work, as a program's is that records while it does something else: from the main actor each append changes
    /// threads twice, there and back.
    private func withFreshWriter(_ work: @escaping @Sendable (LedgerWriter) async throws -> Void) async throws -> Double {
        let path = workload.fresh("library")
        defer { Workload.remove(path) }
        let directory = LedgerDirectory(path)
        _ = try directory.create()
        let writer = try directory.openWriter()
        let seconds = try await Task.detached {
            let start = ContinuousClock.now
            try await work(writer)
            return start.secondsSince
        }.value
        try await Self.settle()
        return seconds
    }

    /// A writer gives the lock back a few milliseconds after its last append; that is not to disturb who comes next.
    private static func settle() async throws { try await Task.sleep(for: .milliseconds(20)) }

    private func verify(_ directory: LedgerDirectory, threads: Int) async throws {
        let verification = try await directory.verify(threads: threads)
        guard verification.verdict == .intact else { throw ChildProcess.Failure(description: verification.line) }
    }

    /// A yardstick that measures its own loop, in a directory of its own.
    private func loop(_ name: String, _ arguments: @escaping (String) -> [String]) -> Contender {
        Contender(name) {
            let folder = workload.fresh("yardstick")
            defer { Workload.remove(folder) }
            try Workload.makeFolder(folder)
            let output = try ChildProcess([workload.yardstick] + arguments(folder), output: .captured).run().output
            guard let seconds = Double(output) else { throw ChildProcess.Failure(description: "\(name) printed \(output)") }
            return seconds
        }
    }

    // Curves: the same work for each ledger of the ladder, in turn.

    /// One durable append to a writer that is open.
    func appendCurve() async throws -> Curve {
        let appends = 50
        return try await curve("in process", over: workload.byEntries, by: { Double($0.entryCount) }, divisor: Double(appends)) {
            ledger in
            let writer = try LedgerDirectory(ledger.path).openWriter()
            try await writer.append(Self.event(1))
            let start = ContinuousClock.now
            for number in 1...appends { try await writer.append(Self.event(number)) }
            let seconds = start.secondsSince
            try await Self.settle()
            return seconds
        }
    }

    func verifyCurve(threads: Int) async throws -> Curve {
        try await curve(threads == 1 ? "1 thread" : "\(threads) threads") { ledger in
            let start = ContinuousClock.now
            try await verify(LedgerDirectory(ledger.path), threads: threads)
            return start.secondsSince
        }
    }

    /// Everything verified strictly, then opened for writing: the first append takes the lock and looks at the tail.
    func bootCurve() async throws -> Curve {
        try await curve("verified, locked, opened") { ledger in
            let directory = LedgerDirectory(ledger.path)
            let start = ContinuousClock.now
            try await verify(directory, threads: 1)
            let writer = try directory.openWriter()
            try await writer.append(Self.event(1))
            let seconds = start.secondsSince
            try await Self.settle()
            return seconds
        }
    }

    /// The row of a curve that has to be linear.
    func boot(_ curve: Curve) -> Row {
        let fit = curve.fit
        let (least, most) = (workload.byBytes[0], workload.big)
        return Row(
            "boot: all verified, then opened and written to", ours: Format.time(curve.points.last?.seconds ?? .nan),
            yardstick: "the size, \(Format.megabytes(least.byteCount)) to \(Format.megabytes(most.byteCount))",
            ratio: "grows with its power \(Format.two(fit.exponent)), R² \(String(format: "%.4f", fit.rSquared))",
            value: fit.exponent, .atMost(1.1, format: { "power " + Format.two($0) }))
    }

    func foldCurve() async throws -> Curve {
        try await curve("entries counted by actor") { ledger in
            let start = ContinuousClock.now
            let counts = try LedgerDirectory(ledger.path).fold(into: [String: Int]()) { counts, record in
                counts[record.actor, default: 0] += 1
            }
            let seconds = start.secondsSince
            guard counts.values.reduce(0, +) >= ledger.entryCount else {
                throw ChildProcess.Failure(description: "the fold did not see every entry")
            }
            return seconds
        }
    }

    private func curve(_ name: String, run: @escaping (TestLedger) async throws -> Double) async throws -> Curve {
        try await curve(name, over: workload.byBytes, by: { Double($0.byteCount) }, divisor: 1, run: run)
    }

    private func curve(
        _ name: String, over ledgers: [TestLedger], by size: (TestLedger) -> Double, divisor: Double,
        run: @escaping (TestLedger) async throws -> Double
    ) async throws -> Curve {
        let measured = try await inTurn(
            ledgers.map { ledger in
                Contender("\(name), entries: \(Format.count(ledger.entryCount))") { try await run(ledger) }
            })
        return Curve(name: name, points: zip(ledgers, measured).map { (size($0), $1.median / divisor) })
    }
}
