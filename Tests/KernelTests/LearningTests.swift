import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Learning") struct LearningTests {
    @Test(
        "whatever is recorded and answered: the fold is the naive model's, and so is a snapshot and its tail",
        arguments: 1...6 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var house = try RandomHouse(seed: seed)
        for step in 0..<90 {
            try house.step()
            if step % 10 == 9 { try house.compare("seed \(seed), step \(step)") }
        }
        #expect(house.answerCount > 3 && house.refusalCount > 0, "seed \(seed)")
        let (machine, whole) = (house.machine, try house.machine.learning())
        let view = try LedgerView(machine.storage())
        for seq in stride(from: UInt64(1), through: 80, by: 7) {
            var fold = Fold<Learning>()
            try fold.advance(in: view, to: FoldEnd(seq: seq), machine.environment)
            let bytes = try Snapshot(ledger: LedgerID(1, 2), mark: fold.mark!, state: fold.state).sealed(with: TestLedger.key)
            let read = try Snapshot<Learning>(
                file: bytes, ledger: LedgerID(1, 2), key: TestLedger.key.id, keys: [TestLedger.key.id: TestLedger.key])
            #expect(read.state == fold.state, "seed \(seed), seq \(seq)")
            var state = read.state
            var mark: Mark? = read.mark
            try FactReader(view, of: Learning.namespaces, machine.environment).read(after: &mark) { state.apply($0) }
            #expect(state == whole, "seed \(seed), seq \(seq)")
        }
    }

    @Test(
        "any number of signatures, actors and texts folds to a state that fits into an entry; what wants an answer is forgotten last"
    )
    func bounded() throws {
        let machine = try SimulatedMachine()
        let (count, openCount) = (2000, 100)
        for start in stride(from: 0, to: count, by: 100) {
            let drafts = try (start..<start + 100).map { number in
                let name = "\(number)-"
                let worst = name + String(repeating: "\"", count: Signature.byteCountMax - name.utf8.count)
                return try Draft(
                    action: "trauma.recorded", actor: "process:p\(number)", justification: .test,
                    body: [
                        "trauma": .string(worst + worst), "root_cause": "x", "correction": "x", "lesson": .string(worst + worst),
                        "owner": .string(worst + worst), "open": .bool(number < openCount), "signature": .string(worst),
                    ])
            }
            try machine.write { session in try session.decide(drafts) }
        }
        // All lessons that one learner may have.
        let taught = try (0..<Learning.learnerCountMax * Learner.lessonCountMax).map { number in
            let worst = "\(number % (Learning.learnerCountMax * 3 / 4))-" + String(repeating: "\\", count: 200)
            return try Draft(
                action: "trauma.recorded", actor: "a:b", justification: .test,
                body: [
                    "trauma": "x", "root_cause": "x", "correction": "x", "lesson": .string(worst), "owner": .string(worst),
                    "signature": .string("1999-" + String(repeating: "\"", count: Signature.byteCountMax - 5)),
                ])
        }
        try machine.write { session in try session.decide(taught) }
        let state = try machine.learning()
        #expect(state.recurrences.count <= Learning.recurrenceCountMax && state.orderedLearners.count <= Learning.learnerCountMax)
        #expect(state.forgottenCount + UInt64(state.recurrences.count) == UInt64(count))
        #expect(state.openCount == openCount && state.forgottenOpenCount == 0)
        #expect(state.traumaCount == UInt64(count + taught.count))
        #expect(try JSON(encoding: state).canonicalBytes().count < Limits.draftPayload - (32 << 10))
    }

    @Test("an answer is about all of its signature before it; what comes later is open again")
    func answers() throws {
        let machine = try SimulatedMachine()
        let first = try machine.learn("it broke")
        try machine.learn("it  BROKE!")
        let other = try machine.learn("something else")
        try machine.answer(first, lesson: "be careful")
        var state = try machine.learning()
        let signature = try #require(Signature("told/it-broke"))
        #expect(state.recurrences[signature]?.count == 2 && state.recurrences[signature]?.standing == .answered)
        #expect(state.openCount == 1 && state.ordered.first?.last.seq == other.seq)
        try machine.learn("it broke")
        state = try machine.learning()
        #expect(state.recurrences[signature]?.standing == .recurred && state.recurrences[signature]?.openCount == 1)
        #expect(state.recurrences[signature]?.lesson == "be careful" && state.recurrences[signature]?.count == 3)
        #expect(state.orderedLearners.map(\.name) == ["user:ada"])
        #expect(state.orderedLearners[0].lessons.map(\.text) == ["be careful"])
    }

    @Test(
        "signatures: of commands and of words",
        arguments: [
            (["/usr/bin/make", "test", "-j2"], "record/make/test/exit-2"), (["make", "-C", "x"], "record/make/exit-2"),
            (["sh", "-c", "exit 2"], "record/sh/exit-2"), (["git", "push"], "record/git/push/exit-2"),
            (["my tool\u{7}", "Word"], "record/my_tool_/exit-2"), ([], "record/-/exit-2"), (["/", "é"], "record/-/exit-2"),
            (
                [String(repeating: "é", count: 60), String(repeating: "a", count: 24)],
                "record/" + String(repeating: "é", count: 20) + "/" + String(repeating: "a", count: 24) + "/exit-2"
            ),
        ])
    func commands(command: [String], signature: String) {
        let trauma = Trauma(command: command, .exit(2), started: 7)
        #expect(trauma.signature.text.utf8.elementsEqual(signature.utf8), "\(trauma.signature)")
        #expect(trauma.isOpen && trauma.body["evidence"] == [7] && trauma.body["root_cause"] == "not known yet")
        #expect(trauma.text.utf8.count <= 160)
    }

    @Test(
        "signatures of words do not depend on numbers, case, or punctuation",
        arguments: [
            ("The deploy of host 17 failed!", "told/the-deploy-of-host-#-failed"),
            ("  the deploy: of HOST 9 failed", "told/the-deploy-of-host-#-failed"),
            ("!?", "told/-"), ("Größe 3.5x", "told/größe-#-#x"), ("一二三", "told/一二三"),
            ("a b c d e f g h i", "told/a-b-c-d-e-f-g-h"), ("cafe\u{301}", "told/cafe\u{301}"),
        ])
    func words(text: String, signature: String) {
        let found = Signature(words: text)
        #expect(found.text.utf8.elementsEqual(signature.utf8), "\(found)")
        #expect(Signature(words: String(repeating: text, count: 200)).text.utf8.count <= Signature.byteCountMax)
    }

    @Test("refused: what is empty or too long, and an answer that says nothing; nothing is written")
    func refused() throws {
        let machine = try SimulatedMachine(count: 1)
        let before = machine.segment()
        func error(_ text: String, _ findings: Findings) throws -> LedgerError? {
            var decider = try machine.decider()
            return ledgerError { () throws(LedgerError) in
                _ = try decider.decide(on: Learning.self, as: "user:ada") { learning, moment throws(LedgerError) in
                    try learning.record(text, findings, signature: nil, evidence: [], .test, moment)
                }
            }
        }
        let long = String(repeating: "x", count: Findings.textByteCountMax + 1)
        for (text, findings, words) in [
            (" \n", Findings(), "the trauma is empty"), (long, Findings(), "has 4097 bytes, and 4096 are allowed"),
            ("x", Findings(rootCause: ""), "the root cause is empty"), ("x", Findings(lesson: long), "the lesson has"),
            ("x", Findings(correction: "none yet"), "leave it out"),
        ] {
            let found = try error(text, findings)
            #expect(found?.code == .usage && found?.message.contains(words) == true, "\(String(describing: found))")
        }
        var findings = Findings()
        findings.factors = Array(repeating: "x", count: 17)
        #expect(try error("x", findings)?.message.contains("17 factors") == true)
        findings.factors = []
        findings.owner = "nobody"
        #expect(try error("x", findings)?.message.contains("is no actor") == true)
        #expect(machine.segment() == before)
        // The longest that is allowed, of the worst characters.
        findings = Findings(
            rootCause: String(repeating: "\u{1}", count: 4096), correction: String(repeating: "\u{1}", count: 4096),
            lesson: String(repeating: "\u{1}", count: 4096))
        findings.factors = Array(repeating: String(repeating: "\u{1}", count: 4096), count: 16)
        #expect(try error(String(repeating: "\u{1}", count: 4096), findings) != nil, "white space only")
        findings = Findings(lesson: "x" + String(repeating: "\u{1}", count: 4095))
        findings.factors = Array(repeating: "x" + String(repeating: "\u{1}", count: 4095), count: 16)
        #expect(try error("x" + String(repeating: "\u{1}", count: 4095), findings) == nil)
    }
}

extension SimulatedMachine {
    fileprivate func learning(_ end: FoldEnd = .tip) throws -> Learning {
        var fold = Fold<Learning>()
        try fold.advance(in: LedgerView(storage()), to: end, environment)
        return fold.state
    }

    @discardableResult
    fileprivate func learn(
        _ text: String, _ findings: Findings = Findings(), signature: String? = nil, as actor: String = "user:ada"
    ) throws(LedgerError) -> Receipt {
        guard var decider = try? decider(snapshotInterval: 20) else { preconditionFailure("the disk is whole") }
        return try decider.decide(on: Learning.self, as: actor) { learning, moment throws(LedgerError) in
            try learning.record(text, findings, signature: signature.flatMap { Signature($0) }, evidence: [], .test, moment)
        }.receipts[0]
    }

    fileprivate func answer(_ trauma: Receipt, lesson: String) throws { try answer(trauma.seq, Findings(lesson: lesson)) }

    fileprivate func answer(_ seq: UInt64, _ findings: Findings, as actor: String = "user:eve") throws {
        var decider = try decider(snapshotInterval: 20)
        let citation = try Citation(seq, in: LedgerView(storage()), environment)
        _ = try decider.decide(on: Learning.self, as: actor) { learning, moment throws(LedgerError) in
            try learning.answer(seq, seen: .success(citation), findings, evidence: [], .test, moment)
        }
    }
}

/// People and the house, who record whatever they like, and a naive model of what is to be learnt from it.
private struct RandomHouse {
    let machine: SimulatedMachine
    private var random: SeededGenerator
    private(set) var answerCount = 0
    private(set) var refusalCount = 0

    private static let signatures: [String?] = ["a", "b", "é", "e\u{301}", nil]
    private static let actors = ["user:ada", "process:p", "specialist:builder"]

    init(seed: UInt64) throws {
        machine = try SimulatedMachine(seed: seed)
        random = SeededGenerator(seed: seed)
    }

    mutating func step() throws {
        var findings = Findings(
            rootCause: random.coin() ? "r" : nil, correction: random.coin() ? "c" : nil,
            lesson: random.coin() ? "l\(random.below(9))" : nil)
        findings.owner = random.below(4) == 0 ? "specialist:owner" : nil
        let actor = Self.actors[random.below(3)]
        switch random.below(10) {
        case 0...3:
            try machine.learn("trauma \(random.below(3)) x", findings, signature: Self.signatures[random.below(5)], as: actor)
        case 4...6:
            let entries = try machine.entries()
            let entry = entries[random.below(entries.count)]
            if findings.correction == nil { findings.lesson = "l" }
            let before = machine.segment()
            do {
                try machine.answer(entry.seq, findings, as: actor)
                #expect(NaiveLearning.isTrauma(entry))
                answerCount += 1
            } catch let error as LedgerError where error.code == .refused {
                #expect(!NaiveLearning.isTrauma(entry) && error.message.contains("is no trauma, but \(entry.action)"))
                #expect(machine.segment() == before)
                refusalCount += 1
            }
        case 7, 8:
            let action = ["ledger.tail_cut", "ledger.clock_stepped_back", "snapshot.ignored", "snapshot.archived"][
                random.below(4)]
            var body: JSONObject = ["trauma": "t", "root_cause": "r", "correction": "c", "lesson": "l"]
            if random.below(4) == 0 { body = ["old": true] }
            let draft = try Draft(action: action, actor: "service:bulla", justification: .test, body: .object(body))
            try machine.write { session in try session.record(draft) }
        default: try machine.append(1...1)
        }
    }

    func compare(_ place: String) throws {
        let (state, model) = (try machine.learning(), NaiveLearning(entries: try machine.entries()))
        #expect(Set(state.ordered.map(Self.shown)) == Set(model.shown), "\(place)")
        #expect(state.ordered.count == model.shown.count, "\(place)")
        #expect(state.traumaCount == UInt64(model.traumas.count) && state.answerCount == UInt64(model.answers.count), "\(place)")
        let learners = state.orderedLearners.map { "\($0.name) \($0.traumaCount) \($0.lessonCount) \($0.lessons.map(\.seq))" }
        #expect(learners == model.learners, "\(place)")
    }

    private static func shown(_ recurrence: Recurrence) -> String {
        "\(Array(recurrence.signature.text.utf8)) \(recurrence.count) \(recurrence.openCount) \(recurrence.first.seq) \(recurrence.last.seq) "
            + "\(recurrence.lesson ?? "-") \(recurrence.answer?.seq ?? 0) \(recurrence.learner)"
    }
}

/// What FORMAT.md says of traumas, by lists that are gone through for every question.
private struct NaiveLearning {
    let entries: [Entry]

    static func isTrauma(_ entry: Entry) -> Bool {
        let isTold = ["trauma.recorded", "ledger.tail_cut", "ledger.clock_stepped_back", "snapshot.ignored"].contains(
            entry.action)
        return isTold && body(entry)["trauma"] != nil
    }

    private static func body(_ entry: Entry) -> JSONObject { (try? JSON(parsing: entry.body))?.object ?? [:] }

    private static func signature(_ entry: Entry) -> [UInt8] { Array((body(entry)["signature"]?.string ?? entry.action).utf8) }

    private static func learner(_ entry: Entry) -> String { body(entry)["owner"]?.string ?? entry.actor }

    private static func lesson(_ entry: Entry) -> String? {
        guard let text = body(entry)["lesson"]?.string, text != "none yet" else { return nil }
        return text
    }

    var traumas: [Entry] { entries.filter(Self.isTrauma) }
    var answers: [Entry] { entries.filter { $0.action == "trauma.answered" } }

    var shown: [String] {
        Set(traumas.map(Self.signature)).map { signature in
            let same = traumas.filter { Self.signature($0) == signature }
            let answered = answers.last { Self.signature($0) == signature }?.seq ?? 0
            let open = same.count { $0.seq > answered && Self.body($0)["open"] == true }
            let lesson = entries.last {
                (Self.isTrauma($0) || $0.action == "trauma.answered") && Self.signature($0) == signature && Self.lesson($0) != nil
            }
            return "\(signature) \(same.count) \(open) \(same[0].seq) \(same[same.count - 1].seq) "
                + "\(lesson.flatMap(Self.lesson) ?? "-") \(answered) \(Self.learner(same[same.count - 1]))"
        }
    }

    var learners: [String] {
        let told = entries.filter { Self.isTrauma($0) || $0.action == "trauma.answered" && Self.lesson($0) != nil }
        return Set(told.map(Self.learner)).sorted().map { name in
            let mine = told.filter { Self.learner($0) == name }
            let lessons = mine.filter { Self.lesson($0) != nil }
            return "\(name) \(mine.count(where: Self.isTrauma)) \(lessons.count) \(lessons.suffix(5).map(\.seq))"
        }
    }
}
