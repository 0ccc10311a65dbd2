import CanonicalJSON
import Foundation
import TestSupport
import Testing

@Suite("What a server answers to whatever comes") struct SocketProtocolTests {
    @Test("requests one after the other on one connection are answered in their order, also behind a shut end")
    func pipelined() throws {
        let house = try SocketLedger()
        let requests = (1...40).map { SocketLedger.request([SocketLedger.draft($0)]) }.joined()
        let answers = try house.exchange(requests + #"{"v":1,"decisions":[[{"half"#)
        #expect(answers.count == 40)
        let seqs = answers.compactMap { $0["answers"]?[0]?["receipts"]?[0]?["seq"]?.integer }
        #expect(seqs.count == 40 && seqs == seqs.sorted())
        #expect(try house.ledger.bodies("--action", "test.event") == (1...40).map(String.init))
    }

    @Test("a decision of several drafts has a receipt for each; what follows one that fails is not recorded")
    func decisions() throws {
        let house = try SocketLedger()
        let (one, two) = (SocketLedger.draft(1, context: #"{"id":"x"}"#), SocketLedger.draft(2))
        let conflict = SocketLedger.draft(9, context: #"{"id":"x"}"#)
        let answers = try house.exchange(
            SocketLedger.request([one, two], [two], [conflict], [two]) + SocketLedger.request([two]))
        let items = answers[0]["answers"]?.array ?? []
        try #require(items.count == 3 && answers.count == 2)
        #expect(items[0]["receipts"]?.array?.count == 2 && items[0]["repeated"] == false)
        #expect(items[1]["receipts"]?.array?.count == 1)
        #expect(items[2].errorCode == 22 && items[2]["error"]?["message"]?.string?.contains("used the id") == true)
        #expect(try house.ledger.bodies("--action", "test.event") == ["1", "2", "2", "2"])
        let parts = try house.clientEntries().map { $0["entry"]?["context"]?["part"] }
        #expect(parts == [[1, 2], [2, 2], nil, nil])
        try house.ledger.expectIntact()
    }

    @Test("lines that are no requests are answered with 64, reserved names with 20, and the connection goes on")
    func refusals() throws {
        let house = try SocketLedger()
        let draft = SocketLedger.draft()
        let bad = [
            "", "garbage", "null", "[]", #"{"v":1}"#, #"{"v":2,"decisions":[]}"#, #"{"v":1,"decisions":{}}"#,
            #"{"v":1,"decisions":[],"decisions":[]}"#, #"{"v":1,"decisions":[],"x":0}"#, #"{"v":1,"decisions":[1]}"#,
            #"{"v":1,"decisions":[[]]} x"#, String(repeating: "[", count: 5000),
            #"{"v":1,"decisions":[[\#(draft)],"]}"#,
        ]
        let refused: [(String, Int64)] = [
            (#"{"v":1,"decisions":[[]]}"#, 64), (#"{"v":1,"decisions":[[1]]}"#, 64),
            (#"{"v":1,"decisions":[[{"action":"x"}]]}"#, 64),
            (SocketLedger.request([SocketLedger.draft(context: #"{"peer":{"gid":0,"pid":1,"uid":0}}"#)]), 64),
            (SocketLedger.request([SocketLedger.draft(context: #"{"part":[1,2]}"#)]), 64),
            (SocketLedger.request([SocketLedger.draft(action: "lane.acquire")]), 20),
            (SocketLedger.request([SocketLedger.draft(action: "ledger.genesis")]), 20),
            (SocketLedger.request([SocketLedger.draft(action: "record.other")]), 20),
            (SocketLedger.request([SocketLedger.draft(action: "run.online")]), 20),
            // Only beside the end of a command.
            (SocketLedger.request([SocketLedger.draft(action: "trauma.recorded")]), 20),
            (SocketLedger.request([draft, SocketLedger.draft(action: "trauma.recorded")]), 20),
            (SocketLedger.request([SocketLedger.draft(action: "trauma.answered")]), 20),
        ]
        let lines = bad + refused.map { $0.0.trimmingCharacters(in: .newlines) } + [SocketLedger.request([draft])]
        let answers = try house.exchange(lines.joined(separator: "\n"))
        try #require(answers.count == bad.count + refused.count + 1)
        for (line, answer) in zip(bad, answers) { #expect(answer.errorCode == 64, "\(line.prefix(80)): \(answer)") }
        for ((line, code), answer) in zip(refused, answers.dropFirst(bad.count)) {
            #expect(answer["answers"]?[0]?.errorCode == code, "\(line): \(answer)")
        }
        #expect(answers.last?["answers"]?[0]?["repeated"] == false)
        #expect(try house.clientEntries().count == 1)
    }

    @Test("a line without an end is refused when it is too long, and the connection closed")
    func tooLong() throws {
        let house = try SocketLedger()
        let answers = try house.exchange(String(repeating: " ", count: (1 << 20) + 1))
        #expect(answers.count == 1 && answers[0].errorCode == 64, "\(answers)")
    }

    @Test("nobody is harmed by clients that send nothing, half a line or garbage, or that take no answers")
    func hostile() throws {
        let house = try SocketLedger()
        let script = """
            import socket, sys
            kept = []
            def connect():
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); kept.append(s); return s
            for _ in range(20): connect()
            for _ in range(20): connect().sendall(b'{"v":1,"decisions":[[')
            for _ in range(20):
                s = connect(); s.setblocking(False)
                try:
                    while True: s.send(b'garbage\\n' * 1000)
                except BlockingIOError: pass
            print('done', flush=True)
            sys.stdin.read(); import time; time.sleep(100)
            """
        let crowd = try Program.python(script, house.socket).start()
        defer { crowd.send(signal: SIGTERM) }
        try waitUntil("they are there") { try crowd.output.contains("done") }
        for _ in 1...3 { #expect(try house.append().code == 0) }
        #expect(try house.stop().code == 0)
        try house.ledger.expectIntact()
    }

    @Test("when all places are taken: 75 and nothing written, until who was quiet makes room")
    func crowded() throws {
        let house = try SocketLedger()
        let script = """
            import socket, sys, time
            kept = []
            for _ in range(256):
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); kept.append(s)
            print('done', flush=True)
            time.sleep(100)
            """
        let crowd = try Program.python(script, house.socket).start()
        defer { crowd.send(signal: SIGTERM) }
        try waitUntil("they are there") { try crowd.output.contains("done") }
        try waitUntil("there is room") {
            let result = try house.append()
            #expect([0, 75].contains(result.code), "\(result.error)")
            if result.code == 75 {
                #expect(result.error.contains("256 connections") && result.error.contains("nothing was written"))
            }
            return result.code == 0
        }
        let state = Program.state(of: crowd.processID)
        #expect(state != nil && state != "Z", "the crowd has left by itself, and shows nothing")
        #expect(try house.clientEntries().count == 1)
    }
}
