import DurableFiles
import Foundation

/// Eight processes at one ledger until enough was acknowledged, while some are killed and some stand still.
struct ProcessRound {
    static let writerCount = 8

    private let setting: Setting
    private let place: Workplace
    private var random: SeededGenerator
    private(set) var tally: Tally
    private var writers: [RoundWriter] = []
    /// All receipts, and which one was given for a draft.
    private var receipts: Set<String> = []
    private var byDraft: [String: String] = [:]
    private var acknowledgedCount = 0
    private var stopped: Int?
    /// Answers until the next thing is done to somebody.
    private var quietCount = 0

    private var ledger: String { place.path("L") }
    private var judgement: Judgement { Judgement(bulla: setting.bulla, ledger: ledger) }

    init(_ setting: Setting, _ generator: SeededGenerator, _ tally: Tally) throws {
        self.setting = setting
        self.tally = tally
        random = generator
        place = try Workplace()
    }

    mutating func run(until wanted: Int) throws {
        let made = try Child.run(setting.bulla, ["init", "--ledger", ledger])
        guard made.code == 0 else { throw HarnessError("init: \(made.error)") }
        receipts.formUnion(made.receipts)
        for index in 0..<Self.writerCount { writers.append(try start(index, after: nil)) }
        quietCount = 50
        while acknowledgedCount < wanted, tally.failures.isEmpty { try step() }
        for writer in writers { writer.child.send(SIGKILL) }
        for index in writers.indices { take(writers[index].child.remainingLines(), from: index) }
        for index in writers.indices { finish(index) }
        tally.done += acknowledgedCount
        try check()
    }

    /// Waits for somebody to answer or to end, and then perhaps does something to one of them.
    private mutating func step() throws {
        var waiting = writers.map { pollfd(fd: $0.child.outputDescriptor, events: Int16(POLLIN), revents: 0) }
        // Whoever is stopped holds up the others for a lock's timeout at most; a minute of silence is a hang.
        guard poll(&waiting, nfds_t(waiting.count), 60_000) > 0 else { return tally.fail("nobody answered for a minute") }
        for index in writers.indices where waiting[index].revents != 0 {
            if let lines = writers[index].child.readLines() {
                take(lines, from: index)
            } else {
                finish(index)
                writers[index] = try start(index, after: writers[index])
            }
        }
        if let index = stopped, writers[index].child.hasEnded { stopped = nil }
        if quietCount <= 0 {
            disturb()
            quietCount = 20 + random.below(200)
        }
    }

    private mutating func start(_ index: Int, after earlier: RoundWriter?) throws -> RoundWriter {
        let kinds = RoundWriter.Kind.allCases
        // Most are fast; processes for one entry each cost more than they tell.
        let kind = index < 5 ? RoundWriter.Kind.write : kinds[random.below(kinds.count)]
        return try RoundWriter(kind, index, earlier, setting, place, &random)
    }

    private mutating func take(_ lines: [String], from index: Int) {
        for line in lines {
            if line.hasPrefix("busy ") {
                tally.fire("busy (75)")
                freeStopped(line)
                continue
            }
            guard let receipt = Acknowledged.receipt(line) else { continue }
            receipts.insert(receipt)
            quietCount -= 1
            guard writers[index].kind == .write else { continue }
            acknowledgedCount += 1
            let words = line.split(separator: " ")
            guard words.count == 3, let number = Int(words[1]) else {
                tally.fail("an answer that nobody understands: \(line)")
                continue
            }
            writers[index].hear(number)
            if words[2] == "again" { tally.fire("repeated id") }
            // Without an id a repetition is another entry.
            guard number % 5 != 4 else { continue }
            let draft = "process:\(index) \(number)"
            if let earlier = byDraft.updateValue(receipt, forKey: draft), earlier != receipt {
                tally.fail("\(draft) was answered with \(earlier) and with \(receipt)")
            }
        }
    }

    /// The others have waited in vain for one that stands still, and say so: he kept his lock, and goes on.
    private mutating func freeStopped(_ line: String) {
        guard let index = stopped else { return }
        let process = writers[index].child.processID
        if line.contains("process \(process) ("), line.contains("and is stopped") { tally.fire("stopped holder kept the lock") }
        writers[index].child.send(SIGCONT)
        stopped = nil
    }

    private mutating func disturb() {
        if let index = stopped {
            writers[index].child.send(SIGCONT)
            stopped = nil
        }
        var index = random.below(writers.count)
        // Every other time whoever has the lock, where the most can go wrong.
        if random.coin(), let holder = FileLocks.holder(of: ledger) {
            index = writers.firstIndex { $0.child.processID == holder } ?? index
        }
        let child = writers[index].child
        child.send(SIGSTOP)
        let isHolder = FileLocks.holder(of: ledger) == child.processID
        if random.below(3) == 0 {
            tally.fire("SIGSTOP")
            stopped = index
        } else {
            // Stopped first, so that it still is what it was when we looked.
            child.send(SIGKILL)
            tally.fire("SIGKILL")
            if isHolder { tally.fire("killed holder of the lock") }
        }
    }

    /// One has ended.
    private mutating func finish(_ index: Int) {
        let writer = writers[index]
        let code = writer.child.wait()
        switch code {
        case 0:
            if writer.kind == .ingest {
                acknowledgedCount += RoundWriter.lineCount
                tally.fire("whole ingest")
            }
            if writer.kind == .append { acknowledgedCount += 1 }
        case 75:
            tally.fire("busy (75)")
            freeStopped(writer.child.complaint)
        case 128 + SIGKILL: break
        default: tally.fail("writer \(index) (\(writer.kind)) ended with \(code): \(writer.child.complaint)")
        }
        writers[index].isComplete = code == 0
    }

    private mutating func check() throws {
        let last = try judgement.append()
        if last.code != 0 { tally.fail("the next append: \(last.error)") }
        let files = try LedgerFiles(ledger)
        for complaint in files.complaints(receipts: receipts + last.receipts) { tally.fail(complaint) }
        // An ingest that said it was done is there with all its lines.
        let ids = Set(files.entries.compactMap(\.id))
        for id in RoundWriter.wholeIngests(writers) where !ids.contains(id) { tally.fail("ingested and not there: \(id)") }
        if let complaint = try judgement.judgeComplaint() { tally.fail(complaint) }
        if let complaint = try judgement.verifierComplaint(receipts: Array(receipts), in: place) { tally.fail(complaint) }
    }
}
