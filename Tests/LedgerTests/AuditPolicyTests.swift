import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Audits by policy")
struct AuditPolicyTests {
    @Test("a result becomes an entry, and the position says that it was full", arguments: AuditPolicy.all)
    func recorded(policy: AuditPolicy) async throws {
        let machine = try SimulatedMachine(count: 5)
        let (finding, receipt) = try await machine.auditOnce(policy.budgeted(1_000_000))
        #expect(finding.report.verdict == .intact && finding.isFull && finding.exitCode == 0)
        #expect(finding.firstSeq == 1 && finding.report.entryCount == 6)
        let entry = try #require(try machine.entries().last)
        #expect(entry.receipt == receipt && entry.seq == 7 && entry.action == "audit.finished" && entry.actor == "service:bulla")
        let body = String(decoding: entry.body, as: UTF8.self)
        for member in [
            #""policy":"\#(policy.name)""#, #""verdict":"intact""#, #""checked":6"#, #""failed":0"#, #""from":1"#, #""seq":6"#,
            #""full":true"#, #""hash":"\#(try machine.entries()[5].hash)""#, #""microseconds":"#, #""offset":"#,
        ] { #expect(body.contains(member), "\(body)") }
        let progress = try machine.progress()
        #expect(progress.full?.seq == 6 && progress.pass == nil)
    }

    @Test("a walk that a repair overtook is made again under the lock, and raises no alarm")
    func overtaken() async throws {
        let machine = try SimulatedMachine.segmented(count: 200)
        let model = try LedgerModel(machine)
        var finding = try await Auditor(.boot, machine.environment).walk(machine.storage())
        #expect(finding.report.verdict == .intact && finding.reaction == .lookAgain)
        machine.flip(model.frames[20], at: 0.5)
        try machine.repair()
        var session = try machine.session()
        try session.acquire()
        let last = try #require(session.tip).seq
        try session.record(&finding)
        session.release()
        #expect(finding.report.verdict == .intact && finding.isFull && finding.firstSeq == 1)
        #expect(finding.report.tip?.seq == last)
        #expect(try !machine.head().alert)
    }

    @Test("slices of a spent budget go on from each other, and are one full audit", arguments: [2, 3] as [Int64])
    func resumed(reads: Int64) async throws {
        let machine = try SimulatedMachine.large()
        let last = try machine.head().seq
        let began = try await machine.auditOnce(SimulatedMachine.reads(reads))
        #expect(began.finding.report.verdict == .partial && began.finding.exitCode == 12 && !began.finding.isFull)
        var next = try #require(try machine.progress().pass)
        #expect(next.goal == last)
        var slices = 1
        while slices < 200 {
            slices += 1
            let (finding, _) = try await machine.auditOnce(SimulatedMachine.reads(reads))
            #expect(finding.firstSeq == next.place.seq, "each begins where the one before stopped")
            #expect(try machine.place(next.place.seq) == next.place)
            if finding.isFull { break }
            #expect(finding.report.verdict == .partial)
            let pass = try #require(try machine.progress().pass)
            #expect(pass.place.seq >= next.place.seq && pass.began == next.began && pass.goal == last)
            next = pass
        }
        #expect(slices > 2 && slices < 200, "\(slices) slices")
        let progress = try machine.progress()
        #expect(progress.pass == nil && progress.full.map { $0.seq >= last } == true)
        // The next one begins at the first entry again.
        #expect(try await machine.auditOnce(SimulatedMachine.reads(reads)).finding.firstSeq == 1)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("slices go on behind a rotation, whose key is not the first entry's")
    func behindRotation() async throws {
        let machine = try SimulatedMachine.large()
        _ = try machine.rotateKey()
        try machine.append(1000...1040, size: 100_000)
        _ = try machine.rotateKey()
        var slices = 0
        while slices < 200 {
            slices += 1
            let (finding, _) = try await machine.auditOnce(SimulatedMachine.reads(2))
            if finding.isFull { break }
            #expect(finding.report.verdict == .partial, "\(finding.report)")
        }
        #expect(slices > 4 && slices < 200, "\(slices) slices")
    }

    @Test("the position ends a decision, and lies at or before what HEAD vouches for")
    func position() async throws {
        let machine = try SimulatedMachine.large()
        for _ in 0..<12 {
            _ = try await machine.auditOnce(SimulatedMachine.reads(2))
            guard let pass = try machine.progress().pass else { break }
            let isEnd = pass.place.seq == 1 || (pass.place.seq - 1) % 5 == 0 || pass.place.seq > 41
            #expect(isEnd, "seq \(pass.place.seq) is inside a decision")
            #expect(pass.place.seq <= (try machine.head().seq))
        }
    }

    @Test("entries that HEAD does not vouch for are verified, and are no place to go on from: they may still be cut")
    func unvouched() async throws {
        let machine = try SimulatedMachine(count: 3)
        try machine.appendUnvouched(4...6)
        let finding = try await Auditor(.deep, machine.environment).walk(machine.storage())
        #expect(finding.report.tip?.seq == 7 && finding.isFull && finding.progress?.full?.seq == 4)
    }

    @Test("--from-start begins at the first entry")
    func fromStart() async throws {
        let machine = try SimulatedMachine.large()
        _ = try await machine.auditOnce(SimulatedMachine.reads(3))
        #expect(try machine.progress().pass != nil)
        #expect(try await machine.auditOnce(SimulatedMachine.reads(3), fromStart: true).finding.firstSeq == 1)
    }

    @Test("with time for one read every slice comes further")
    func progressAlways() async throws {
        let machine = try SimulatedMachine.large()
        var last: UInt64 = 0
        for _ in 0..<60 {
            let (finding, _) = try await machine.auditOnce(SimulatedMachine.reads(2))
            if finding.isFull { return }
            let pass = try #require(finding.progress?.pass)
            #expect(pass.place.seq > last)
            last = pass.place.seq
        }
        Issue.record("no slice came to the end")
    }

    @Test("without any time something is checked, so that whoever goes on comes to the end")
    func noTime() async throws {
        let machine = try SimulatedMachine.large()
        _ = try await machine.auditOnce(SimulatedMachine.reads(3))
        let before = try #require(try machine.progress().pass)
        let (finding, _) = try await machine.auditOnce(SimulatedMachine.reads(0))
        #expect(finding.report.verdict == .partial && finding.report.entryCount > 0)
        #expect(try machine.progress().pass.map { $0.place.seq > before.place.seq && $0.goal == before.goal } == true)
    }

    @Test("entries that come between the slices are no reason never to be full")
    func growing() async throws {
        let machine = try SimulatedMachine.large()
        var number = 1000
        var fullAt: Int?
        for slice in 0..<40 where fullAt == nil {
            if try await machine.auditOnce(SimulatedMachine.reads(3)).finding.isFull { fullAt = slice }
            // More is written between two slices than one of them can check.
            try machine.append(number...number + 29, size: 100_000)
            number += 30
        }
        #expect(fullAt.map { $0 > 0 } == true)
    }
}

@Suite("Audits that find damage")
struct AuditAlarmTests {
    /// Flips a bit in the body of an entry.
    private func damage(_ machine: SimulatedMachine, _ seq: UInt64) throws -> Place {
        let place = try machine.place(seq)
        var bytes = machine.segment(place.segment)
        bytes[place.offset + 70] ^= 1
        machine.setSegment(place.segment, bytes)
        return place
    }

    @Test("damage in the old part raises the alert, and nothing but HEAD changes", arguments: AuditPolicy.all)
    func old(policy: AuditPolicy) async throws {
        let machine = try SimulatedMachine(count: 20)
        let place = try damage(machine, 7)
        // An opening looks at the end only.
        #expect(try machine.openingError() == nil)
        var alarmed = try machine.head()
        alarmed.alert = true
        let before = machine.files
        do {
            _ = try await machine.auditOnce(policy.budgeted(1_000_000))
            Issue.record("no alarm")
        } catch let error as LedgerError {
            #expect(error.code == .tampered && error.place == place, "\(error)")
            #expect(error.message.contains("the alert was raised"))
        }
        #expect(try machine.head() == alarmed)
        #expect(machine.files.besidesAlert == before.besidesAlert)

        let (again, receipt) = try await machine.auditOnce(policy.budgeted(1_000_000))
        #expect(receipt == nil && again.report.verdict == .tampered && again.report.place == place && again.exitCode == 10)
    }

    @Test("with the alert raised an audit looks and writes nothing; whole it is 21", arguments: AuditPolicy.all)
    func locked(policy: AuditPolicy) async throws {
        let machine = try SimulatedMachine(count: 5)
        var head = try machine.head()
        head.alert = true
        machine.disk.setBytes(of: Layout.head, to: head.sealed(with: try machine.key()))
        let before = machine.files
        let (finding, receipt) = try await machine.auditOnce(policy.budgeted(1_000_000))
        #expect(receipt == nil && finding.report.verdict == .intact && finding.exitCode == 21)
        #expect(machine.files == before)
    }

    @Test("without the key there is a verdict (11) and no entry")
    func keyless() async throws {
        let machine = try SimulatedMachine(count: 5)
        let path = try #require(machine.files.keys.first { $0.directory == "keys" })
        machine.disk.setBytes(of: path, to: [])
        let before = machine.files
        for budget in [0, 1_000_000] as [Int64] {
            let (finding, receipt) = try await machine.auditOnce(.deep.budgeted(budget))
            #expect(receipt == nil && finding.report.verdict == .unverifiable && finding.exitCode == 11)
        }
        #expect(machine.files == before)
    }

    @Test("what is whole again under the lock is no alarm: an unlocked look may have come at the wrong moment")
    func unconfirmed() async throws {
        let machine = try SimulatedMachine(count: 20)
        let whole = machine.segment()
        let place = try damage(machine, 7)
        let (finding, receipt) = try await machine.auditOnce { machine.setSegment(1, whole) }
        #expect(receipt != nil && finding.report.verdict == .intact && finding.report.entryCount == 21 && finding.isFull)
        #expect(try machine.head().alert == false && place.seq == 7)
    }

    @Test("BOOT looks at the tail under the lock, where damage is no crash's work any more")
    func tail() async throws {
        let machine = try SimulatedMachine(count: 4)
        // A crash's tail: the opening mends it, and BOOT finds everything in order.
        machine.setSegment(1, Array(machine.segment()[..<machine.dataEnd()]) + Array("399:{\"entry\":{".utf8))
        let (finding, _) = try await machine.auditOnce(.boot)
        #expect(finding.report.verdict == .intact && finding.isFull)
        #expect(try machine.count("ledger.tail_cut") == 1)
    }

    @Test("a torn tail is a crash's work for those that are not strict", arguments: [AuditPolicy.fast, .deep])
    func torn(policy: AuditPolicy) async throws {
        let machine = try SimulatedMachine(count: 4)
        machine.setSegment(1, Array(machine.segment()[..<machine.dataEnd()]) + Array("399:{\"entry\":{".utf8))
        let finding = try await Auditor(policy.budgeted(1_000_000), machine.environment).walk(machine.storage())
        #expect(finding.report.verdict == .torn && finding.reaction == .record && finding.isFull && finding.exitCode == 0)
        var strict = policy
        strict.strictStream = true
        let seen = try await Auditor(strict.budgeted(1_000_000), machine.environment).walk(machine.storage())
        #expect(seen.reaction == .lookAgain)
    }

    @Test("a HEAD that is missing or wrong is found, also when the time runs out first", arguments: [0, 1_000_000] as [Int64])
    func head(budget: Int64) async throws {
        let machine = try SimulatedMachine(count: 4)
        let head = machine.headBytes
        machine.disk.setBytes(of: Layout.head, to: Array(head.dropLast()))
        let finding = try await Auditor(.deep.budgeted(budget), machine.environment).walk(machine.storage())
        #expect(finding.report.verdict == .tampered && finding.reaction == .lookAgain && finding.exitCode == 10)
        let before = machine.files
        await #expect(throws: LedgerError.self) { try await machine.auditOnce(.deep.budgeted(budget)) }
        #expect(machine.files == before)
    }

    @Test("damage behind the position is found from there, and damage before it in the next pass")
    func passes() async throws {
        let machine = try SimulatedMachine.large()
        _ = try await machine.auditOnce(SimulatedMachine.reads(3))
        let seq = try #require(try machine.progress().pass).place.seq
        let place = try damage(machine, seq - 2)
        var slices = 0
        await #expect(throws: LedgerError.self) {
            while slices < 100 {
                slices += 1
                _ = try await machine.auditOnce(SimulatedMachine.reads(3))
            }
        }
        #expect(slices > 1 && slices < 100)
        #expect(try machine.head().alert)
        #expect(try await machine.audit().place == place)
    }
}
