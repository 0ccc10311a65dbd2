/// State that is folded from a ledger, by the program as a whole process.
struct KernelCases {
    let workload: Workload
    /// The program that fills ledgers with entries of the house.
    let samples: String

    private var bulla: String { workload.bulla }

    /// Folding a tree of 10,000 leaves, and not having to.
    func documents() async throws -> [Row] {
        let count = workload.million.entryCount
        let (ledger, empty) = (workload.fresh("documents"), workload.fresh("empty"))
        for path in [ledger, empty] { _ = try ChildProcess([bulla, "init", "--ledger", path]).run() }
        defer { for path in [ledger, empty] { Workload.remove(path) } }
        Progress.note("making a ledger of changes, entries: \(Format.count(count))")
        _ = try ChildProcess([samples, "documents", "\(count)", ledger]).run()

        let leaf = [bulla, "state", "get", "/group7/leaf7", "--ledger", ledger]
        let whole = try await inTurn([Contender("state get, folded", leaf)])[0]
        _ = try ChildProcess([bulla, "snapshot", "create", "--ledger", ledger]).run()
        let opened = try await inTurn(
            [
                Contender("state get, snapshot", leaf),
                Contender("state get, empty", [bulla, "state", "get", "", "--ledger", empty]),
            ], rounds: Rounds.short)
        let rate = Double(count) / whole.median
        return [
            Row(
                "`state get`, folding \(Format.count(count)) changes of 10,000 leaves",
                ours: Format.rate(count, in: whole.median),
                yardstick: "–", ratio: "–", value: rate, .atLeast(500_000, format: { Format.count(Int($0)) + "/s" })),
            Row(
                "`state get` of the same with a snapshot", ours: Format.time(opened[0].median),
                yardstick: "of an empty ledger: " + Format.time(opened[1].median), opened[0].ratio(to: opened[1]), .atMost(2)),
        ]
    }
}
