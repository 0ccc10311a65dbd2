import Bulla
import TestSupport
import Testing

// What a Swift program sees: only `import Bulla`.
@Suite("The library")
struct LibraryTests {
    private func freshLedger(_ directory: TemporaryDirectory) throws -> LedgerDirectory {
        let ledger = LedgerDirectory(directory.path + "/ledger", stateFolder: .at(directory.path + "/state"))
        try ledger.create()
        return ledger
    }

    private func event(_ number: Int, id: String? = nil) throws(LedgerFailure) -> Event {
        try Event(
            action: "test.step", actor: "process:test", pillar: .integrity, reason: "a test", body: #"{ "n" : \#(number) }"#,
            id: id)
    }

    @Test("what is appended one by one is there, in order, canonical, and verifies")
    func oneByOne() async throws {
        let directory = TemporaryDirectory()
        let ledger = try freshLedger(directory)
        let writer = try ledger.openWriter()
        var receipts: [Receipt] = []
        for number in 1...50 { receipts.append(try await writer.append(event(number))) }
        #expect(receipts.map(\.seq) == Array(2...51))
        let bodies = try ledger.fold(into: [String]()) { $0.append(String(decoding: $1.body, as: UTF8.self)) }
        #expect(bodies.dropFirst() == (1...50).map { #"{"n":\#($0)}"# }[...])
        for threads in [1, 2] {
            let verification = try await ledger.verify(threads: threads)
            #expect(verification.verdict == .intact && verification.entryCount == 51, "\(verification.line)")
        }
    }

    @Test("what a constitution asks of drafts, it asks of the library's too")
    func constitution() async throws {
        let directory = TemporaryDirectory()
        let script = """
            cd "$1" && "$BULLA" actor keygen a.key > a.pub && "$BULLA" init --ledger L --associate $(cat a.pub) &&
            "$BULLA" constitution template --ledger L | sed 's/^sovereignty.*/sovereignty = ["test."]/' > law &&
            "$BULLA" constitution adopt law --associate-key a.key --ledger L
            """
        let made = try Program(
            "/usr/bin/env", ["BULLA_ANCHOR=off", "BULLA=" + Program.bullaPath, "sh", "-c", script, "sh", directory.path]
        ).run()
        try #require(made.code == 0, "\(made)")
        let ledger = LedgerDirectory(directory.path("L"), stateFolder: .at(directory.path("state")))
        let writer = try ledger.openWriter()
        let failure = await #expect(throws: LedgerFailure.self) { try await writer.append(event(1)) }
        #expect(failure?.code == .refused && failure?.message.contains("justified by sovereignty alone") == true)
        let right = try Event(
            action: "test.step", actor: "process:test", pillar: .sovereignty, reason: "a test", body: "{}", id: nil)
        try await writer.append(right)
        #expect(try await ledger.verify().verdict == .intact)
    }

    @Test("64 tasks at once: every receipt is of the entry that its task meant")
    func together() async throws {
        let directory = TemporaryDirectory()
        let ledger = try freshLedger(directory)
        let writer = try ledger.openWriter()
        let numbers = try await withThrowingTaskGroup(of: [UInt64: Int].self) { group in
            for task in 0..<64 {
                group.addTask {
                    var numbers: [UInt64: Int] = [:]
                    for step in 0..<10 {
                        let number = task * 100 + step
                        numbers[try await writer.append(event(number)).seq] = number
                    }
                    return numbers
                }
            }
            var all: [UInt64: Int] = [:]
            for try await numbers in group { all.merge(numbers) { first, _ in first } }
            return all
        }
        #expect(numbers.count == 640)
        let bodies = try ledger.fold(into: [UInt64: String]()) { $0[$1.seq] = String(decoding: $1.body, as: UTF8.self) }
        for (seq, number) in numbers { #expect(bodies[seq] == #"{"n":\#(number)}"#) }
        #expect(try await ledger.verify().verdict == .intact)
    }

    @Test("two writers take turns, and one that rests does not keep the other out")
    func turns() async throws {
        let directory = TemporaryDirectory()
        let ledger = try freshLedger(directory)
        let (one, other) = (try ledger.openWriter(), try ledger.openWriter())
        for number in 1...10 {
            try await one.append(event(number))
            try await other.append(event(number))
        }
        let verification = try await ledger.verify()
        #expect(verification.verdict == .intact && verification.entryCount == 21)
    }

    @Test("the same event with the same id is recorded once; another event with it is a conflict")
    func ids() async throws {
        let directory = TemporaryDirectory()
        let writer = try freshLedger(directory).openWriter()
        let first = try await writer.append(event(1, id: "a"))
        let again = try await writer.append(event(1, id: "a"))
        #expect(first == again)
        let third = try await writer.append(event(3))
        #expect(Set([first, third, again]) == [first, third])
        let other = try event(2, id: "a")
        let failure = await #expect(throws: LedgerFailure.self) { try await writer.append(other) }
        #expect(failure?.code == .conflict)
    }

    @Test("bad events are refused before anything is written, with the reason")
    func refusals() throws {
        func code(_ action: String, _ actor: String, _ body: String) -> LedgerFailure.Code? {
            do throws(LedgerFailure) {
                _ = try Event(action: action, actor: actor, pillar: .integrity, reason: "r", body: body)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code("a.b", "user:a", "{}") == nil)
        #expect(code("ledger.genesis", "user:a", "{}") == .refused)
        #expect(code("A", "user:a", "{}") == .usage)
        #expect(code("a", "nobody", "{}") == .usage)
        #expect(code("a", "user:a", "[]") == .usage)
        #expect(code("a", "user:a", #"{"a":1,"a":2}"#) == .usage)
        #expect(code("a", "user:a", String(repeating: #"{"a":"#, count: 47) + "1" + String(repeating: "}", count: 47)) == nil)
        #expect(code("a", "user:a", String(repeating: #"{"a":"#, count: 48) + "1" + String(repeating: "}", count: 48)) == .usage)
    }

    @Test("a ledger that is not there, or is there already, is a failure with its code")
    func places() throws {
        let directory = TemporaryDirectory()
        let missing = LedgerDirectory(directory.path + "/none", stateFolder: .none)
        #expect(throws: LedgerFailure.self) { try missing.openWriter() }
        let ledger = try freshLedger(directory)
        let failure = #expect(throws: LedgerFailure.self) { try ledger.create() }
        #expect(failure?.code == .refused || failure?.code == .inputOutput)
    }
}
