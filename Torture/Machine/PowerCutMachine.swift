import DurableFiles
import Foundation

/// The ledgers on the disk, and what their writers' callers were told.
struct PowerCutMachine {
    let disk: PowerCutDisk
    let place: String
    let bulla: String
    private let torture = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    private var receipts: [String] = []
    private var bootCount = 0
    /// What is being done, for messages.
    var what = ""

    init(disk: PowerCutDisk, place: String, bulla: String) {
        self.disk = disk
        self.place = place
        self.bulla = bulla
    }

    private var ledger: String { disk.path + "/L" }

    private enum Writer: String, CaseIterable {
        case initialization = "init"
        case append, ingest, roll, write
    }

    mutating func cutUnderWriter(_ random: inout SeededGenerator) throws {
        if access(ledger, F_OK) != 0 {
            receipts = try Child.run(bulla, ["init", "--ledger", ledger]).receipts
            if receipts.isEmpty { throw HarnessError("no ledger to begin with") }
        }
        let writer = Writer.allCases[random.below(Writer.allCases.count)]
        what += " in \(writer.rawValue)"
        let child = try start(writer, &random)
        var told: [String] = []
        // So many answers and a little more; where there are none before the end, a look at the file that grows.
        let wanted = writer == .ingest ? 0 : random.below(writer == .roll || writer == .write ? 60 : 4)
        while Acknowledged.receipts(lines: told).count < wanted, let lines = child.readLines() { told += lines }
        if writer == .ingest { awaitGrowth(by: random.below(300_000), child) }
        linger(random.below(writer == .initialization || writer == .append ? 6_000_000 : 400_000))
        told += child.linesSoFar()
        let vouched = headTip()
        // What nobody synchronised must be lost, or the cut was none.
        let probe = disk.path + "/probe-\(bootCount)"
        let probeBytes = Data(repeating: UInt8(ascii: "?"), count: 4096)
        _ = FileManager.default.createFile(atPath: probe, contents: probeBytes)
        let isAtWork = child.isRunning
        try disk.cut()
        // What comes later does not count: while ext4 stops, a sync may return before its work and without an error, where
        // power that is lost would have let nobody answer.
        _ = child.remainingLines()
        let code = child.wait()
        if ![0, 30].contains(code) { fail("the writer ended with \(code): \(child.complaint)") }
        if let vouched { receipts.append(vouched) }
        Answer.print("fired power cut \(isAtWork ? "in" : "behind") \(writer.rawValue)")
        try disk.restart()
        let isLost = FileManager.default.contents(atPath: probe) != probeBytes
        Answer.print("fired unsynchronised write \(isLost ? "lost" : "kept")")
        unlink(probe)
        if writer == .initialization {
            try checkInitialized(told)
        } else {
            receipts += Acknowledged.receipts(lines: told)
            receipts += try check(ledger, receipts)
        }
        Answer.print("done")
    }

    private mutating func start(_ writer: Writer, _ random: inout SeededGenerator) throws -> Child {
        bootCount += 1
        let again = ["subject", "repeat", "--bulla", bulla, "--"]
        switch writer {
        case .initialization: return try Child(torture, again + ["init", "--ledger", disk.path + "/\(bootCount)-%"])
        case .append: return try Child(torture, again + Judgement.appendArguments + ["--ledger", ledger])
        case .roll:
            return try Child(
                torture,
                ["subject", "roll", ledger, "--segment-bytes", String(2000 + random.below(20_000)), "--entries", "1000"])
        case .write:
            return try Child(
                torture,
                [
                    "subject", "write", ledger, "--actor", "process:\(bootCount)", "--tasks", String(1 + random.below(8)),
                    "--count",
                    "2000",
                ])
        case .ingest:
            let lines = (0..<3000).map { "line \($0) of \(bootCount)\n" }.joined()
            try Data(lines.utf8).write(to: URL(fileURLWithPath: place + "/lines"))
            return try Child(bulla, ["ingest", "--raw", "--actor", "process:ingest", "--ledger", ledger, place + "/lines"])
        }
    }

    /// Until the newest segment's data has grown; a writer that has ended grows nothing.
    private func awaitGrowth(by byteCount: Int, _ child: Child) {
        var status = stat()
        let names = (try? FileManager.default.contentsOfDirectory(atPath: ledger + "/ledger"))?.sorted() ?? []
        guard let last = names.last else { return }
        stat(ledger + "/ledger/" + last, &status)
        let size = status.st_size
        while stat(ledger + "/ledger/" + last, &status) == 0, Int(status.st_size - size) < byteCount {
            var waiting = pollfd(fd: child.outputDescriptor, events: Int16(POLLIN), revents: 0)
            if poll(&waiting, 1, 0) > 0 { return }
        }
    }

    /// Some work, so that the cut falls anywhere in what the writer does next.
    private func linger(_ count: Int) {
        var value: UInt64 = 1
        for step in 0..<count { value = value &* 6_364_136_223_846_793_005 &+ UInt64(step) }
        if value == 0 { Answer.print("fired nothing") }
    }

    /// The entry that HEAD vouched for before the cut, as a receipt: for writers that answer at their end only.
    private func headTip() -> String? {
        guard let head = FileManager.default.contents(atPath: ledger + "/HEAD").map({ String(decoding: $0, as: UTF8.self) }),
            let match = head.firstMatch(of: #/"seq":([0-9]+),"tip":"([0-9a-f]+)"/#)
        else { return nil }
        return Acknowledged.label + "HEAD/\(match.1)/\(match.2)/-"
    }

    /// Ledgers that were being made: each is whole or not there, and each that was acknowledged is there.
    private func checkInitialized(_ told: [String]) throws {
        let acknowledged = Acknowledged.receipts(lines: told)
        let names = try FileManager.default.contentsOfDirectory(atPath: disk.path).filter { $0.hasPrefix("\(bootCount)-") }
        for (index, receipt) in acknowledged.enumerated() where !names.contains("\(bootCount)-\(index)") {
            fail("the ledger was made and acknowledged and is not there: \(receipt)")
        }
        for name in names {
            let index = Int(name.split(separator: "-").last ?? "") ?? 0
            _ = try check(disk.path + "/" + name, index < acknowledged.count ? [acknowledged[index]] : [])
            try FileManager.default.removeItem(atPath: disk.path + "/" + name)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: disk.path) where name.hasPrefix(".bulla-init") {
            Answer.print("fired orphan of an init")
            try FileManager.default.removeItem(atPath: disk.path + "/" + name)
        }
        // The ledger beside them is what it was.
        for complaint in try Judgement(bulla: bulla, ledger: ledger).fileComplaints(receipts: receipts) {
            fail("\(complaint)")
        }
    }

    /// Everything acknowledged is there, and it goes on; returns the receipt of an entry more.
    private func check(_ ledger: String, _ receipts: [String]) throws -> [String] {
        let judgement = Judgement(bulla: bulla, ledger: ledger)
        let verdict = try Child.run(bulla, ["verify", "--ledger", ledger])
        if verdict.code != 0 || verdict.output.contains("RAISED") { fail("bulla verify: \(oneLine(verdict.output))") }
        if verdict.output.hasPrefix("torn") { Answer.print("fired torn tail") }
        if let complaint = try judgement.judgeComplaint() { fail("\(oneLine(complaint))") }
        let next = try judgement.append()
        if next.code != 0 { fail("the next append: \(oneLine(next.error))") }
        for complaint in try judgement.fileComplaints(receipts: receipts + next.receipts) { fail("\(complaint)") }
        return next.receipts
    }

    private func fail(_ why: String) { Answer.print("failed \(what): \(why)") }

    private func oneLine(_ text: String) -> String { text.replacing("\n", with: " ") }
}
