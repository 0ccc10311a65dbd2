import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("verify and the independent verifier give the same verdict, place and exit code")
struct VerifyTests {
    /// A fixed ledger of ten entries.
    private func fixed() throws -> (CommandLedger, [Int]) {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 10, ends: &ends)
        return (ledger, ends)
    }

    @Test("intact: 0, with any number of threads")
    func intact() throws {
        let (ledger, ends) = try fixed()
        #expect(try ledger.agreedVerdict() == .intact(offset: ends[9], seq: 10))
        for threads in ["1", "2", "7"] {
            #expect(try ledger.verdict("--threads", threads) == .intact(offset: ends[9], seq: 10))
        }
    }

    @Test("a ledger that `bulla` wrote, with preallocation behind it, is intact for both")
    func written() throws {
        let ledger = try CommandLedger(entries: 700)
        #expect(try ledger.append().code == 0)
        let size = try ledger.read(CommandLedger.firstSegment).count
        let data = try ledger.read(CommandLedger.firstSegment).lastIndex { $0 != 0 }.map { $0 + 1 }
        #expect(size > data ?? size, "nothing is preallocated")
        #expect(try ledger.agreedVerdict() == .intact(offset: data ?? 0, seq: 702))
    }

    @Test("torn behind HEAD: 0, and the next writer keeps the tail as evidence, cuts it and records it", arguments: [1, 37, 200])
    func torn(kept: Int) throws {
        let ledger = try CommandLedger(entries: 2)
        let head = try ledger.read("HEAD")
        let end = try #require(try ledger.read(CommandLedger.firstSegment).lastIndex { $0 != 0 }) + 1
        #expect(try ledger.append().code == 0)
        let whole = try ledger.read(CommandLedger.firstSegment)
        try ledger.overwrite(CommandLedger.firstSegment, Array(whole[..<(end + kept)]))
        try ledger.overwrite("HEAD", head)
        #expect(try ledger.agreedVerdict() == .torn(offset: end, seq: 4))
        let text = try ledger.run("verify").output
        #expect(text.contains("the tail is torn as a crash leaves it, behind all that HEAD vouches for"))
        let before = try ledger.contents()
        #expect(try ledger.run("log").output.split(separator: "\n").count == 3)
        #expect(try ledger.contents() == before)

        let next = try ledger.append(#"{"n":1}"#)
        #expect(next.code == 0)
        #expect(next.error.contains("a crash had left a torn tail of \(kept) bytes at offset \(end)"))
        try ledger.expectIntact(seq: 5)
        #expect(try ledger.run("show", "4", "--json").output.contains(#""action":"ledger.tail_cut""#))
        let evidence = try ledger.contents().filter { $0.key.hasPrefix("quarantine/") }
        #expect(evidence.map(\.value) == [Array(whole[end..<(end + kept)])])
        let name = try #require(evidence.keys.first)
        #expect(try ledger.run("show", "4", "--json").output.contains(#""evidence":"\#(name)""#))
    }

    @Test("a changed byte before an entry that knew it durable is no crash: 10, the alert, and nothing is torn any more")
    func neverTorn() throws {
        let ledger = try CommandLedger(entries: 2)
        let head = try ledger.read("HEAD")
        let end = try #require(try ledger.read(CommandLedger.firstSegment).lastIndex { $0 != 0 }) + 1
        for _ in 0..<2 { #expect(try ledger.append().code == 0) }
        try ledger.overwrite("HEAD", head)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[end + 60] ^= 2
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        #expect(try ledger.agreedVerdict() == .tampered(offset: end, seq: 4))
        let before = try ledger.read(CommandLedger.firstSegment)
        let refused = try ledger.append()
        #expect(refused.code == 10)
        #expect(refused.error.contains("was tampered with: segment 00000000000000000001.frames, offset \(end), seq 4"))
        #expect(try ledger.read(CommandLedger.firstSegment) == before, "damaged bytes are evidence")
        try ledger.expectRefusal(
            21, "is in alert", "nothing is written until it is released",
            "find out why with `bulla verify --ledger \(ledger.path)`",
            "`bulla repair --yes --ledger \(ledger.path)` releases it"
        ) { try ledger.append() }
        #expect(try ledger.run("verify").output.contains("the alert is RAISED"))
        try ledger.overwrite(CommandLedger.firstSegment, Array(bytes[..<(end + 60)]))
        #expect(try ledger.agreedVerdict() == .tampered(offset: end, seq: 4), "in alert nothing is torn")
    }

    @Test("edited, moved, doubled, removed and foreign frames are tampering at their place: 10")
    func tampered() throws {
        let (ledger, ends) = try fixed()
        let bytes = try ledger.read(CommandLedger.firstSegment)
        func frame(_ seq: Int) -> [UInt8] { Array(bytes[(seq == 1 ? 0 : ends[seq - 2])..<ends[seq - 1]]) }
        func frames(_ seqs: [Int]) -> [UInt8] { seqs.flatMap(frame) }
        let foreign = try CommandLedger(entries: 9)
        let foreignBytes = try foreign.read(CommandLedger.firstSegment).split(separator: 0x0A)
        let edited = String(decoding: frame(4), as: UTF8.self).replacing("test 4", with: "test 5")
        let cases: [(String, [UInt8], Int, Int)] = [
            ("edited", frames([1, 2, 3]) + Array(edited.utf8) + frames(Array(5...10)), ends[2], 4),
            ("swapped", frames([1, 2, 3, 5, 4, 6, 7, 8, 9, 10]), ends[2], 4),
            ("doubled", frames([1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10]), ends[2], 4),
            ("removed", frames([1, 2, 3, 5, 6, 7, 8, 9, 10]), ends[2], 4),
            ("genesis removed", frames(Array(2...10)), 0, 1),
            ("foreign", frames([1, 2, 3]) + Array(foreignBytes[3]) + [0x0A] + frames(Array(5...10)), ends[2], 4),
            ("emptied", [], 0, 1),
            ("cut by one entry", frames(Array(1...9)), ends[8], 10),
            ("lengthened by one byte", bytes + [0x31], ends[9], 11),
            ("a line feed more", bytes + [0x0A], ends[9], 11),
            ("a leading zero", [0x30] + bytes, 0, 1),
        ]
        for (name, changed, offset, seq) in cases {
            try ledger.overwrite(CommandLedger.firstSegment, changed)
            let verdict = try ledger.agreedVerdict()
            // The beginning of a frame behind HEAD can be a crash's, here of its LENGTH; nothing else can.
            let isTorn = name == "lengthened by one byte"
            #expect(verdict == (isTorn ? .torn(offset: offset, seq: seq) : .tampered(offset: offset, seq: seq)), "\(name)")
            #expect(try ledger.verdict("--threads", "2") == verdict, "\(name)")
        }
    }

    @Test("NULs behind the data mean nothing, and other bytes behind them are judged")
    func padding() throws {
        let (ledger, ends) = try fixed()
        let bytes = try ledger.read(CommandLedger.firstSegment)
        let toPage = Array(repeating: UInt8(0), count: 8192 - bytes.count)
        for count in [1, 511, toPage.count] {
            try ledger.overwrite(CommandLedger.firstSegment, bytes + toPage.prefix(count))
            #expect(try ledger.agreedVerdict() == .intact(offset: ends[9], seq: 10))
        }
        try ledger.overwrite(CommandLedger.firstSegment, bytes + toPage + [0x31])
        #expect(try ledger.agreedVerdict() == .torn(offset: ends[9], seq: 11), "NULs up to a sector's border: a lost sector")
        try ledger.overwrite(CommandLedger.firstSegment, bytes + toPage.dropLast(3) + [0x31])
        #expect(try ledger.agreedVerdict() == .tampered(offset: ends[9], seq: 11), "no sector ends there")
        try ledger.overwrite(CommandLedger.firstSegment, [0] + bytes)
        #expect(try ledger.agreedVerdict() == .tampered(offset: 0, seq: 1))
    }

    @Test("HEAD missing, empty, garbled, edited or foreign: tampered at HEAD, 10")
    func head() throws {
        let (ledger, _) = try fixed()
        let foreign = try CommandLedger(entries: 1)
        let head = String(decoding: try ledger.read("HEAD"), as: UTF8.self)
        let wrong: [(String, [UInt8])] = [
            ("empty", []), ("garbled", Array("garbled".utf8)), ("a line feed more", Array((head + "\n").utf8)),
            ("alert edited", Array(head.replacing("false", with: "true").utf8)), ("half", Array(head.utf8.prefix(100))),
            ("foreign", try foreign.read("HEAD")), ("NULs", Array(repeating: 0, count: head.utf8.count)),
            ("large", Array(repeating: 0x20, count: 100_000)), ("two", Array((head + head).utf8)),
        ]
        for (name, bytes) in wrong {
            try ledger.overwrite("HEAD", bytes)
            #expect(try ledger.agreedVerdict() == .headless(seq: 10), "\(name)")
            #expect(try ledger.run("log").output.split(separator: "\n").count == 10, "the verified prefix is served")
            if name != "empty" {
                try ledger.expectRefusal(10, "was tampered with: segment HEAD", "nothing was written") { try ledger.append() }
            }
        }
        try ledger.directory.remove(ledger.name("HEAD"))
        #expect(try ledger.agreedVerdict() == .headless(seq: 10))
    }

    @Test(
        "a missing HEAD is rebuilt in alert by the next writer, once, and only reading goes on", arguments: ["missing", "empty"])
    func headRebuilt(kind: String) throws {
        let ledger = try CommandLedger(entries: 3)
        if kind == "missing" { try ledger.directory.remove(ledger.name("HEAD")) } else { try ledger.overwrite("HEAD", []) }
        let first = try ledger.append()
        #expect(first.code == 10)
        #expect(first.error.contains("HEAD was missing") && first.error.contains("the house is now in alert"))
        try ledger.expectRefusal(21, "is in alert") { try ledger.append() }
        try ledger.expectRefusal(21, "is in alert") { try ledger.ingest(["x"]) }
        #expect(try ledger.run("log", "--last", "1").output.contains("ledger.head_rebuilt"))
        #expect(try ledger.run("verify", "--json").output.contains(#""alert":true"#))
        try ledger.expectIntact(seq: 5)
    }

    @Test("a missing HEAD over a damaged ledger: tampered at the damage, and nothing is written")
    func headMissingAndDamage() throws {
        let (ledger, ends) = try fixed()
        try ledger.directory.remove(ledger.name("HEAD"))
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[ends[6] + 99] ^= 0x40
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        #expect(try ledger.agreedVerdict() == .tampered(offset: ends[6], seq: 8))
        try ledger.expectRefusal(10, "seq 8", "nothing was written") { try ledger.append() }
    }

    @Test("HEAD rolled back alone: the longer valid chain is adopted, and nothing is lost")
    func headRolledBack() throws {
        let ledger = try CommandLedger(entries: 1)
        let head = try ledger.read("HEAD")
        let receipts = try (1...5).flatMap { try ledger.append(#"{"n":\#($0)}"#).receipts }
        try ledger.overwrite("HEAD", head)
        try ledger.expectIntact(seq: 7)
        #expect(try ledger.append(#"{"n":6}"#).code == 0)
        try ledger.expectIntact(seq: 8)
        try ledger.directory.write(Array(receipts.joined(separator: "\n").utf8), to: "receipts")
        #expect(try ledger.verdict("--receipt", ledger.directory.path("receipts")).code == 0)
    }

    @Test("files of other names in ledger/ mean nothing, and a segment that begins elsewhere is a gap")
    func segmentNames() throws {
        let (ledger, ends) = try fixed()
        for name in ["notes.txt", "1.frames", "00000000000000000001.frames.bak", ".00000000000000000001.frames"] {
            try ledger.directory.write([1], to: ledger.name("ledger/" + name))
        }
        #expect(try ledger.agreedVerdict() == .intact(offset: ends[9], seq: 10))
        // An empty last segment is legal where the chain ends, and nowhere else.
        try ledger.directory.write([], to: ledger.name("ledger/00000000000000000011.frames"))
        #expect(try ledger.agreedVerdict() == Verdict("intact: segment 00000000000000000011.frames, offset 0, seq 10", 0))
        try ledger.directory.remove(ledger.name("ledger/00000000000000000011.frames"))
        try ledger.directory.write([], to: ledger.name("ledger/00000000000000000012.frames"))
        #expect(try ledger.agreedVerdict() == .tampered(offset: ends[9], seq: 11))
    }

    @Test("without ledger/ or its segments, but with HEAD: tampered at the first entry")
    func noSegments() throws {
        let (ledger, _) = try fixed()
        try ledger.directory.remove(ledger.name(CommandLedger.firstSegment))
        #expect(try ledger.agreedVerdict() == .tampered(offset: 0, seq: 1))
        try ledger.directory.remove(ledger.name("ledger"))
        #expect(try ledger.agreedVerdict() == .tampered(offset: 0, seq: 1))
        #expect(try ledger.append().code == 10)
        try ledger.directory.remove(ledger.name("HEAD"))
        for code in [try ledger.run("verify").code, try ledger.judgement().code, try ledger.append().code] { #expect(code == 64) }
    }

    @Test("without the key: 11 if all that needs none holds, 10 if it does not; --key brings one from elsewhere")
    func key() throws {
        let (ledger, ends) = try fixed()
        let keyFile = try ledger.keyFile
        try ledger.directory.copy(ledger.name(keyFile), to: "key")
        try ledger.directory.remove(ledger.name(keyFile))
        let unverifiable = Verdict(Verdict.intact(offset: ends[9], seq: 10).line.replacing("intact", with: "unverifiable"), 11)
        #expect(try ledger.agreedVerdict() == unverifiable)
        #expect(try ledger.verdict("--threads", "2") == unverifiable)
        let key = ledger.directory.path("key")
        for arguments in [["--key", key], ["--key", key, "--threads", "2"]] {
            #expect(Verdict(try ledger.run(["verify"] + arguments)) == .intact(offset: ends[9], seq: 10))
        }
        #expect(try ledger.judgement("--key", key) == .intact(offset: ends[9], seq: 10))

        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[ends[3] + 50] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        #expect(try ledger.agreedVerdict() == .tampered(offset: ends[3], seq: 5))
    }

    @Test("another ledger's key is no key: 11; what is no key at all is refused: 64")
    func wrongKey() throws {
        let (ledger, _) = try fixed()
        try ledger.directory.write(Array(("07" + String(repeating: "0", count: 62) + "\n").utf8), to: "other")
        #expect(try ledger.verdict("--key", ledger.directory.path("other")).code == 11)
        #expect(try ledger.judgement("--key", ledger.directory.path("other")).code == 11)
        try ledger.directory.write(Array("no key".utf8), to: "none")
        try ledger.expectRefusal(64, "this is no sealing key") {
            try ledger.run("verify", "--key", ledger.directory.path("none"))
        }
        try ledger.expectRefusal(64, "cannot open") { try ledger.run("verify", "--key", ledger.directory.path("missing")) }
    }

    @Test("an entry rewritten with a hash that fits, and HEAD with it, passes only where the key is absent")
    func forgedWithoutKey() throws {
        let (ledger, ends) = try fixed()
        let bytes = try ledger.read(CommandLedger.firstSegment)
        let payload = String(decoding: bytes[ends[8]...].drop { $0 != 0x7B }.dropLast(), as: UTF8.self)
        let sealed = try #require(payload.firstMatch(of: /^\{"entry":(.*),"hash":"(.*)","sig":"(.*)"\}$/)?.output)
        let entry = String(sealed.1).replacing("test 10", with: "test 11")
        let hash = Digest(sha256: Array("\(entry)|sig:\(sealed.3)".utf8).span).description
        let forged = #"{"entry":\#(entry),"hash":"\#(hash)","sig":"\#(sealed.3)"}"#
        try ledger.overwrite(CommandLedger.firstSegment, bytes[..<ends[8]] + Array("\(forged.utf8.count):\(forged)\n".utf8))
        let head = String(decoding: try ledger.read("HEAD"), as: UTF8.self)
        try ledger.overwrite("HEAD", Array(head.replacing(sealed.2, with: hash).utf8))
        #expect(try ledger.agreedVerdict() == .tampered(offset: ends[8], seq: 10))
        try ledger.directory.remove(ledger.name(try ledger.keyFile))
        #expect(try ledger.agreedVerdict().code == 11, "nobody can tell without the key")
    }

    @Test("--budget 0 is partial: 12, and --from goes on where it says")
    func budget() throws {
        let (ledger, ends) = try fixed()
        let partial = try ledger.run("verify", "--budget", "0")
        // Something is read in any time: here all of it.
        #expect(Verdict(partial) == Verdict("partial: segment 00000000000000000001.frames, offset \(ends[9]), seq 10", 12))
        #expect(partial.output.contains("go on with: bulla verify --from 11 --ledger \(ledger.path)\n"), "\(partial.output)")
        #expect(try ledger.run("verify", "--budget", "0", "--json").output.contains(#""resume":11,"#))
        #expect(try ledger.run("verify", "--budget", "3600").code == 0)
        for from in ["1", "2", "10"] { #expect(try ledger.verdict("--from", from) == .intact(offset: ends[9], seq: 10)) }
    }

    @Test("a partial verification of a long ledger is resumed to its end, and finds damage behind its start")
    func resumed() throws {
        let ledger = try CommandLedger(entries: 12_000)
        var next = "1"
        var rounds = 0
        while true {
            let result = try ledger.run("verify", "--from", next, "--budget", rounds < 50 ? "0.004" : "100", "--json")
            let object = try #require(try JSON(parsing: Array(result.output.utf8)).object)
            if result.code == 0 { break }
            #expect(result.code == 12)
            let resume = try #require(object["resume"]?.integer)
            #expect(resume >= Int64(next) ?? 0)
            next = String(resume)
            rounds += 1
        }
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[bytes.count / 2] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let whole = try ledger.verdict()
        #expect(whole.code == 10)
        #expect(try ledger.verdict("--from", "100") == whole)
        #expect(try ledger.verdict("--threads", "2") == whole)
        #expect(try ledger.judgement() == whole)
    }

    @Test(
        "wrong arguments are refused: 64",
        arguments: [
            ["--threads", "0"], ["--threads", "257"], ["--from", "0"], ["--budget", "-1"], ["--budget", "nan"],
            ["--budget", "x"],
            ["--receipt", "/no/such/file"],
        ])
    func usage(arguments: [String]) throws {
        let ledger = try CommandLedger()
        #expect(try ledger.run(["verify"] + arguments).code == 64)
    }

    @Test("verify writes nothing, whatever it finds")
    func readOnly() throws {
        let (ledger, ends) = try fixed()
        var bytes = try ledger.read(CommandLedger.firstSegment)
        for change in 0..<3 {
            if change == 1 { bytes[ends[4] + 30] ^= 1 }
            if change == 2 { bytes = Array(bytes[..<(ends[4] + 30)]) }
            try ledger.overwrite(CommandLedger.firstSegment, bytes)
            let before = try ledger.contents()
            for verb in [["verify"], ["verify", "--threads", "2"], ["log"], ["status"], ["show", "3"]] {
                _ = try ledger.run(verb)
            }
            #expect(try ledger.contents() == before)
        }
    }
}

@Suite("verify --receipt proves what the ledger alone cannot")
struct ReceiptTests {
    private func write(_ text: String, in ledger: CommandLedger) throws -> String {
        try ledger.directory.write(Array(text.utf8), to: "receipt.txt")
        return ledger.directory.path("receipt.txt")
    }

    @Test("receipts hold in any text around them: a mail, a commit message, JSON, several files")
    func holds() throws {
        let ledger = try CommandLedger(entries: 4)
        let lines = try (1...5).map { try ledger.run("receipt", String($0)).receipts[0] }
        let json = try ledger.run("receipt", "2", "--json").output
        try ledger.directory.write(Array("From: ada\n\n> the receipt: <\(lines[0])>, and\t\(lines[1])\n\(json)".utf8), to: "mail")
        try ledger.directory.write(Array("release 1.2\n\n\(lines[4])\r\n".utf8), to: "commit")
        let result = try ledger.run(
            "verify", "--receipt", ledger.directory.path("mail"), "--receipt", ledger.directory.path("commit"))
        #expect(result.code == 0, "\(result.output)")
        for seq in [1, 2, 5] { #expect(result.output.contains("receipt of seq \(seq): holds")) }
        #expect(result.output.components(separatedBy: ": holds").count == 5)
    }

    @Test("a forged receipt fails: 10, and the others are still told")
    func forged() throws {
        let ledger = try CommandLedger(entries: 4)
        let line = try ledger.run("receipt", "3").receipts[0]
        let parts = line.split(separator: "/").map(String.init)
        let hash = String(parts[3].reversed())
        let forged = [parts[0], parts[1], parts[2], hash, parts[4]].joined(separator: "/")
        let result = try ledger.run("verify", "--receipt", try write("\(forged)\n\(line)\n", in: ledger))
        #expect(result.code == 10)
        #expect(result.output.contains("receipt of seq 3: FAILED: the entry with seq 3 has another hash than the receipt"))
        #expect(result.output.contains("receipt of seq 3: holds"))
        #expect(result.output.hasPrefix("tampered: "))
    }

    @Test("a ledger and HEAD rolled back together: only the receipt knows")
    func rolledBack() throws {
        let ledger = try CommandLedger(entries: 2)
        try ledger.backUp(as: "old")
        let receipt = try ledger.append(#"{"n":1}"#).receipts[0]
        try ledger.restore(from: "old")
        try ledger.expectIntact(seq: 3)
        let file = try write(receipt, in: ledger)
        let missing = try ledger.run("verify", "--receipt", file)
        #expect(missing.code == 10)
        #expect(missing.output.contains("seq 4, is not there: the verified ledger ends at seq 3"))
        #expect(try ledger.append(#"{"n":2}"#).code == 0)
        let forked = try ledger.run("verify", "--receipt", file)
        #expect(forked.code == 10)
        #expect(forked.output.contains("seq 4 has another hash than the receipt: this is another history"))
    }

    @Test("another ledger's receipt fails, and a file without receipts is bad usage")
    func foreign() throws {
        let (ledger, other) = (try CommandLedger(entries: 1), try CommandLedger(entries: 1))
        let result = try ledger.run("verify", "--receipt", try write(try other.run("receipt", "2").output, in: ledger))
        #expect(result.code == 10)
        #expect(result.output.contains("the receipt is of another ledger"))
        let file = try write("no receipt here: bulla-receipt-v1/xx/1/yy/zz\n", in: ledger)
        try ledger.expectRefusal(64, "\(file) holds no receipt") { try ledger.run("verify", "--receipt", file) }
    }

    @Test("both copies of a ledger that was copied and written are intact, and their receipts contradict each other")
    func fork() throws {
        let ledger = try CommandLedger(entries: 2)
        try ledger.backUp(as: "copy")
        let here = try ledger.append(#"{"n":1}"#).receipts
        let copy = ledger.directory.path("copy")
        let there = try Program.watched(CommandLedger.appendArguments + ["--body", #"{"n":2}"#, "--ledger", copy]).run().receipts
        try ledger.directory.write(Array((here + there).joined(separator: "\n").utf8), to: "both")
        for path in [ledger.path, copy] {
            #expect(try Program.judge(path).run().code == 0)
            let result = try Program.watched("verify", "--ledger", path, "--receipt", ledger.directory.path("both")).run()
            #expect(result.code == 10)
            #expect(result.output.contains("receipt of seq 4: holds") && result.output.contains("receipt of seq 4: FAILED"))
        }
    }
}

@Suite("verify --resync says what survives behind damage")
struct ResyncCommandTests {
    @Test("two damaged entries: the verdict as ever, then both ranges, and three runs up to what HEAD vouches for")
    func twoDamages() throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 9, ends: &ends)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[ends[1] + 200] ^= 1
        bytes[ends[5] + 200] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let plain = try ledger.run("verify")
        let result = try ledger.run("verify", "--resync")
        #expect(result.code == 10 && plain.code == 10)
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines[0] == plain.output.split(separator: "\n")[0])
        let damaged = lines.filter { $0.hasPrefix("damaged: ") }
        #expect(damaged.count == 2)
        #expect(damaged[0].contains("offset \(ends[1]), seq 3: \(ends[2] - ends[1]) bytes"))
        #expect(damaged[1].contains("offset \(ends[5]), seq 7: \(ends[6] - ends[5]) bytes"))
        #expect(
            lines.contains { $0.hasPrefix("survives: seq 4 to 6, ") } && lines.contains { $0.hasPrefix("survives: seq 8 to 9, ") }
        )
        #expect(lines.last == "7 sound entries in 3 runs; the last one that HEAD vouches for is among them")
        let json = try JSON(parsing: Array(try ledger.run("verify", "--resync", "--json").output.utf8))
        let resync = json.object?["resync"]?.object
        #expect(resync?["runs"]?.array?.count == 3 && resync?["damages"]?.array?.count == 2 && resync?["gave_up"] == .null)
        #expect(try ledger.run("verify", "--resync", "--max-skips", "1").output.contains("gave up after 1 damages"))
    }

    @Test("a whole ledger has nothing to say more")
    func whole() throws {
        let ledger = try CommandLedger(entries: 3)
        let result = try ledger.run("verify", "--resync")
        #expect(result.code == 0 && !result.output.contains("survives"))
    }
}
