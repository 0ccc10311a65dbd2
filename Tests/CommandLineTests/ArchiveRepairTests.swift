import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// Damage in what is left behind an archive.
@Suite("bulla archive, and repair")
struct ArchiveRepairTests {
    /// Entries 1 to 4 are archived by entry 5, with the state behind them in 6 to 9; entries 10 and 11 follow.
    private func ledger() throws -> CommandLedger {
        let ledger = try CommandLedger()
        func set(_ number: Int) throws {
            try #require(try ledger.run("state", "set", "/n", String(number), "--actor", "user:ada").code == 0)
        }
        for number in 1...3 { try set(number) }
        #expect(try ledger.archive(to: "A").code == 0)
        for number in 4...5 { try set(number) }
        return ledger
    }

    /// Flips a bit in the frames with these indices of the first segment that is left.
    private func damage(_ ledger: CommandLedger, _ indices: Int...) throws {
        let file = try ledger.firstSegmentLeft
        var bytes = try ledger.read(file)
        let ends = [-1] + bytes.indices.filter { bytes[$0] == 0x0A }
        for index in indices { bytes[ends[index + 1] - 200] ^= 1 }
        try ledger.overwrite(file, bytes)
        #expect(try ledger.agreedVerdict().code == 10)
    }

    private func repair(_ ledger: CommandLedger, _ archives: String...) throws {
        let done = try ledger.run(
            ["repair", "--yes", "--without-associates"] + archives.flatMap { ["--archive", ledger.place($0)] })
        #expect(done.code == 0, "\(done)")
        let verdict = try ledger.agreedVerdict()
        #expect(verdict.code == 0, "\(verdict)")
        #expect(try ledger.append().code == 0)
    }

    @Test("the entry that explains is sound: the repaired ledger begins where it did, and the state goes on")
    func sound() throws {
        let ledger = try ledger()
        // Entry 11, the first change behind the archive.
        try damage(ledger, 6)
        try repair(ledger)
        #expect(try ledger.run("verify").output.contains("from seq 5; before: unchecked"))
        #expect(try ledger.run("state", "get", "/n").output == "5\n")
        #expect(try ledger.run("verify", "--archive", ledger.place()).code == 0)
    }

    @Test("the state behind the archive is damaged: the explanation is recorded again, and the state needs the archive")
    func state() throws {
        let ledger = try ledger()
        try damage(ledger, 1)
        try repair(ledger)
        #expect(try ledger.run("verify").output.contains("from seq 5; before: unchecked"))
        let state = try ledger.run("state", "get", "/n")
        #expect(state.code == 20 && state.error.contains("entry 1 was archived to \(ledger.place())"), "\(state)")
        #expect(try ledger.run("state", "get", "/n", "--archive", ledger.place()).output == "5\n")
        #expect(try ledger.run("verify", "--archive", ledger.place()).code == 0)
    }

    @Test("the entry that explains is behind the damage, proven: it is recorded again", arguments: [false, true])
    func behind(isFirst: Bool) throws {
        // Two sealed segments in the archive, the explaining entry not the first one.
        var chain = ForgedChain()
        for _ in 2...3 { chain.append() }
        chain.roll()
        for _ in 4...6 { chain.append() }
        chain.archive(1)
        for _ in 8...9 { chain.append() }
        let head = chain.head()
        chain.drop(1)
        let ledger = try CommandLedger(chain, keys: [0], head: head.sealed(with: ForgedChain.keys[0]))
        #expect(try ledger.agreedVerdict().code == 0)
        try damage(ledger, isFirst ? 0 : 1)
        try repair(ledger)
        let output = try ledger.run("verify").output
        #expect(output.contains("from seq 4; before: unchecked"), "\(output)")
        for seq in isFirst ? [5, 6, 8, 9] : [4, 6, 8, 9] {
            let receipt = try ledger.run("receipt", String(seq))
            #expect(receipt.output.contains(Receipt(chain.entries[seq - 1].tip).line), "\(seq): \(receipt)")
        }
        #expect(try ledger.run("receipt", isFirst ? "4" : "5").code == 10)
        #expect(try ledger.run("show", "2").error.contains("was archived"))
    }

    @Test("the entry that explains is lost: what was before counts as lost, and what is behind is there")
    func lost() throws {
        let ledger = try ledger()
        try damage(ledger, 0)
        let plan = try ledger.run("repair")
        #expect(plan.output.contains("WARNING") && plan.output.contains("repair --archive DIR"), "\(plan)")
        #expect(try JSON(parsing: Array(ledger.run("repair", "--json").lastLine.utf8))["plan"]?["archive_lost"] == true)
        try repair(ledger)
        #expect(try ledger.run("verify").output.contains("segment 00000000000000000001.frames"))
        #expect(try ledger.run("receipt", "9").code == 0)
        #expect(try ledger.run("receipt", "2").code == 10)
    }

    /// Whole as before: where it begins, the state there and at every entry, with and without the archives.
    private func expectRecovered(_ ledger: CommandLedger, from seq: Int, _ archives: String...) throws {
        #expect(try ledger.run("verify").output.contains("from seq \(seq); before: unchecked, archived by entry"))
        let archived = archives.flatMap { ["--archive", ledger.place($0)] }
        let whole = try ledger.run(["verify"] + archived)
        #expect(whole.code == 0 && whole.output.contains("are here, with the digests"), "\(whole)")
        #expect(try ledger.run("state", "get", "/n").output == "5\n")
        #expect(try ledger.run("state", "get", "/n", "--at", "2").error.contains(ledger.place(archives.last ?? "")))
        #expect(try ledger.run(["state", "get", "/n", "--at", "2"] + archived).output == "1\n")
        // And nothing is left to mend.
        #expect(try ledger.run("repair").output.contains("nothing to repair"))
        #expect(try ledger.archive(to: "Z").code == 0)
        #expect(try ledger.run(["verify", "--archive", ledger.place("Z")] + archived).code == 0)
        #expect(try ledger.run("state", "get", "/n").output == "5\n")
    }

    @Test(
        "with the archive at hand it is recorded again what went, and the state behind it",
        arguments: [[0], [1], [0, 1, 2, 3], [0, 4], [0, 1, 2, 3, 4, 5]])
    func recovered(indices: [Int]) throws {
        let ledger = try ledger()
        if indices.last == 5 {
            // Nothing that is left is sound, but what comes now.
            try damage(ledger, 0, 1, 2, 3, 4)
        } else {
            for index in indices { try damage(ledger, index) }
        }
        let before = try ledger.contents()
        let plan = try ledger.run("repair", "--archive", ledger.place())
        #expect(plan.output.contains("bulla repair --yes --archive \(ledger.place())"))
        #expect(plan.code == 10 && plan.output.contains("seq 1 to 4 went there") && !plan.output.contains("WARNING"), "\(plan)")
        #expect(try ledger.contents() == before)
        try repair(ledger, "A")
        try expectRecovered(ledger, from: 5, "A")
    }

    @Test("all files of the ledger are gone, and HEAD says where it began: the archive gives back what it holds")
    func filesGone() throws {
        let ledger = try ledger()
        try FileManager.default.removeItem(atPath: ledger.path + "/" + ledger.firstSegmentLeft)
        #expect(try ledger.agreedVerdict().code == 10)
        let plain = try ledger.run("repair")
        #expect(plain.code == 10 && plain.output.contains("before seq 5 was archived: it counts as LOST"), "\(plain)")
        let plan = try ledger.run("repair", "--archive", ledger.place())
        #expect(plan.code == 10 && plan.output.contains("seq 1 to 4 went there") && !plan.output.contains("WARNING"), "\(plan)")
        try repair(ledger, "A")
        #expect(try ledger.run("verify").output.contains("from seq 5; before: unchecked, archived by entry"))
        #expect(try ledger.run("verify", "--archive", ledger.place()).code == 0)
        #expect(try ledger.run("state", "get", "/n").output == "3\n")
        #expect(try ledger.run("show", "2", "--archive", ledger.place()).code == 0)
        #expect(try ledger.run("receipt", "9").code == 10)
    }

    @Test(
        "the first file left is gone, and a sound entry tells of the archive: only what stood in the file is lost",
        arguments: [false, true])
    func firstFileGone(isArchiveGiven: Bool) throws {
        var chain = ForgedChain()
        for _ in 2...3 { chain.append() }
        chain.roll()
        for _ in 4...5 { chain.append() }
        chain.roll()
        for _ in 6...7 { chain.append() }
        chain.roll()
        chain.append()
        chain.archive(1)
        chain.append()
        let ledger = try CommandLedger(chain, keys: [0])
        try move(ledger, "A")
        #expect(try ledger.agreedVerdict().code == 0)
        try FileManager.default.removeItem(atPath: ledger.path + "/ledger/" + SegmentName.file(firstSeq: 4))
        #expect(try ledger.agreedVerdict().code == 10)
        let archives = isArchiveGiven ? ["A"] : []
        let plan = try ledger.run(["repair"] + archives.flatMap { ["--archive", ledger.place($0)] })
        #expect(
            plan.code == 10 && !plan.output.contains("WARNING: no sound entry") && plan.output.contains("LOST") == false,
            "\(plan)")
        #expect(plan.output.contains("lost, or in the evidence only: 2"), "\(plan)")
        if isArchiveGiven { try repair(ledger, "A") } else { try repair(ledger) }
        #expect(try ledger.run("verify").output.contains("from seq 4; before: unchecked, archived by entry"))
        for seq in 6...10 {
            let receipt = try ledger.run("receipt", String(seq))
            #expect(receipt.output.contains(Receipt(chain.entries[seq - 1].tip).line), "\(seq): \(receipt)")
        }
        for seq in 4...5 { #expect(try ledger.run("receipt", String(seq)).code == 10) }
        let whole = try ledger.run("verify", "--archive", ledger.place())
        #expect(whole.code == 0 && whole.output.contains("archived segments: 1 of 1"), "\(whole)")
    }

    @Test("of several archives that a repair takes up again each entry's own is named; a damaged one is called that")
    func severalPlaces() throws {
        let ledger = try CommandLedger()
        func set(_ number: Int) throws {
            try #require(try ledger.run("state", "set", "/n", String(number), "--actor", "user:ada").code == 0)
        }
        try set(1)
        for place in ["A", "B", "C"] {
            #expect(try ledger.archive(to: place).code == 0)
            try set(2)
        }
        let archives = ["A", "B", "C"].flatMap { ["--archive", ledger.place($0)] }
        let name = "B/ledger/00000000000000000003.frames"
        let bytes = try ledger.directory.read(name)
        func write(_ bytes: [UInt8]) throws {
            try ledger.directory.write(bytes, to: name)
            chmod(ledger.place(name), 0o600)
        }
        var changed = bytes
        changed[bytes.count / 2] ^= 1
        try write(changed)
        // The ledger itself is sound.
        try ledger.expectRefusal(20, "an archive that was given is damaged", "repair without --archive") {
            try ledger.run(["repair"] + archives)
        }
        try write(bytes)
        try damage(ledger, 0)
        try repair(ledger, "A", "B", "C")
        for (seq, place) in [("2", "A"), ("4", "B"), ("10", "C")] {
            try ledger.expectRefusal(20, "entry \(seq) was archived to \(ledger.place(place)) by entry ") {
                try ledger.run("show", seq)
            }
        }
        #expect(try ledger.run(["verify"] + archives).code == 0)
    }

    @Test("lanes and leases come back from the archive too")
    func recoveredLanes() throws {
        let ledger = try CommandLedger(lanes: [("api", ["--tree", "src/api"])])
        let lease = try ledger.acquire("api")
        func lanes() throws -> JSON { try JSON(parsing: Array(ledger.run("lane", "list", "--json").lastLine.utf8)) }
        let before = try lanes()
        #expect(try ledger.archive(to: "A").code == 0)
        try damage(ledger, 0, 3)
        try repair(ledger, "A")
        #expect(try lanes()["declared"] == before["declared"])
        #expect(try ledger.check(lease) == 0 && ledger.refusal("api")["reason_class"] == "lane_held")
    }

    /// Entries 1 to 4 and 5 to 6, in segments and under keys of their own; 7 and 8 behind them, and the archive that took both.
    private func chain(_ word: String = "test") -> ForgedChain {
        var chain = ForgedChain()
        for _ in 2...3 { chain.append { $0.body = #"{"n":"\#(word)"}"# } }
        chain.rotate(to: ForgedChain.keys[1])
        chain.roll()
        for _ in 5...6 { chain.append() }
        chain.roll()
        for _ in 7...8 { chain.append() }
        chain.archive(2)
        chain.append()
        return chain
    }

    /// Moves the first two segments out of a ledger.
    private func move(_ ledger: CommandLedger, _ places: String...) throws {
        for (segment, place) in zip([1, 5], places) {
            try FileManager.default.createDirectory(atPath: ledger.place(place + "/ledger"), withIntermediateDirectories: true)
            for path in [ledger.place(place), ledger.place(place + "/ledger")] { chmod(path, 0o700) }
            let file = "ledger/" + SegmentName.file(firstSeq: UInt64(segment))
            try FileManager.default.moveItem(atPath: ledger.path + "/" + file, toPath: ledger.place(place) + "/" + file)
        }
    }

    @Test("the end of the ledger is gone, and with it the entry that explains the beginning: the archives say it")
    func cutOff() throws {
        let ledger = try CommandLedger(chain(), keys: [0, 1])
        try move(ledger, "A", "B")
        #expect(try ledger.agreedVerdict().code == 0)
        let file = try ledger.firstSegmentLeft
        let bytes = try ledger.read(file)
        let ends = bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
        try ledger.overwrite(file, Array(bytes[..<ends[1]]))
        #expect(try ledger.agreedVerdict().code == 10)
        func refusal(_ words: String, _ places: String...) throws {
            let repair = ["repair"] + places.flatMap { ["--archive", ledger.place($0)] }
            try ledger.expectRefusal(20, words, "give --archive once for each") { try ledger.run(repair) }
        }
        // The second one alone does not say why it begins where it does.
        try refusal("the archives given do not explain", "B")
        try refusal("entries 5 to 6 are in none of them", "A")
        // Another history of the same ledger, sealed with the same keys.
        let other = try CommandLedger(chain("another"), keys: [0, 1])
        try move(other, "A", "A")
        try FileManager.default.moveItem(atPath: other.place("A"), toPath: ledger.place("C"))
        try refusal("the first entry that is left, seq 7, does not follow", "C")
        try repair(ledger, "A", "B")
        #expect(try ledger.run("verify").output.contains("from seq 7; before: unchecked, archived by entry"))
        for seq in 7...8 { #expect(try ledger.run("receipt", String(seq)).code == 0) }
        #expect(try ledger.run("receipt", "9").code == 10)
        let whole = try ledger.run("verify", "--archive", ledger.place("A"), "--archive", ledger.place("B"))
        #expect(whole.code == 0 && whole.output.contains("archived segments: 2 of 2"), "\(whole)")
    }

    @Test(
        "a key that is gone: a link proves what it sealed in the archive, and without one it is refused (11)",
        arguments: [true, false])
    func absentKey(isLinked: Bool) throws {
        let ledger = try CommandLedger(chain(), keys: [1])
        try move(ledger, "A", "A")
        let file = try ledger.firstSegmentLeft
        var bytes = try ledger.read(file)
        let ends = bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
        if !isLinked { bytes[ends[0] - 200] ^= 1 }
        // The entry that explains is the third.
        bytes[ends[2] - 200] ^= 1
        try ledger.overwrite(file, bytes)
        let plan = try ledger.run("repair", "--archive", ledger.place())
        if isLinked {
            #expect(plan.code == 10 && plan.output.contains("seq 1 to 6 went there"), "\(plan)")
            try repair(ledger, "A")
        } else {
            #expect(plan.code == 11 && plan.error.contains("the archives cannot be verified"), "\(plan)")
        }
    }

    @Test("an archive that is another ledger's, is damaged or does not lead to the first entry left is refused")
    func strangers() throws {
        let ledger = try ledger()
        try damage(ledger, 0)
        // Whoever opens it to write meets the damage, and raises the alert.
        #expect(try ledger.append().code == 10)
        let other = try self.ledger()
        func refusal(_ words: String, _ place: String) throws {
            try ledger.expectRefusal(20, words) { try ledger.run("repair", "--yes", "--archive", place) }
        }
        try refusal("of another ledger", other.place())
        try FileManager.default.createDirectory(atPath: ledger.place("E/ledger"), withIntermediateDirectories: true)
        for path in [ledger.place("E"), ledger.place("E/ledger")] { chmod(path, 0o700) }
        try refusal("holds no archive", ledger.place("E"))
        let name = "A/ledger/00000000000000000001.frames"
        let bytes = try ledger.directory.read(name)
        var changed = bytes
        changed[bytes.count / 2] ^= 1
        try ledger.directory.write(changed, to: name)
        chmod(ledger.place(name), 0o600)
        try refusal("do not explain", ledger.place())
        try ledger.directory.write(bytes, to: name)
        chmod(ledger.place(name), 0o600)
        try repair(ledger, "A")
    }

    @Test("an explanation that an old key sealed is none")
    func forged() throws {
        var chain = ForgedChain()
        for _ in 2...3 { chain.append() }
        chain.rotate(to: ForgedChain.keys[1])
        chain.roll()
        for _ in 5...9 { chain.append() }
        let last = chain.head()
        // Somebody with the first key removes the first segment, and puts an explanation into the other.
        var forger = chain.entries[6].tip
        forger.key = ForgedChain.keys[0].id
        let statement = chain.statement(of: 1)
        let forge = Forge(after: forger) {
            $0.action = ArchiveStatement.action
            $0.body = JSON.object(statement.members).canonicalText
        }
        chain.drop(1)
        let ledger = try CommandLedger(chain, keys: [0, 1], head: last.sealed(with: ForgedChain.keys[1]))
        #expect(try ledger.agreedVerdict() == .tampered(offset: 0, seq: 1))
        let file = try ledger.firstSegmentLeft
        var bytes = try ledger.read(file)
        let ends = bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
        bytes.replaceSubrange(ends[2]..<ends[3], with: forge.frame(ForgedChain.keys[0]))
        try ledger.overwrite(file, bytes)
        try repair(ledger)
        #expect(!(try ledger.run("verify").output.contains("unchecked")))
        #expect(try ledger.run("receipt", "2").code == 10)
    }
}
