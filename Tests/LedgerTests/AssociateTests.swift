import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Associates")
struct AssociateTests {
    @Test("what two of three sign is carried out, and the next writer knows it from the segment's first entry")
    func acts() async throws {
        let machine = try SimulatedMachine.governed()
        #expect(machine.segments.count > 2)
        try machine.carryOut(machine.addition(of: eve, by: [ada, bob]))
        try machine.append(30...60)
        #expect(try machine.associates().keys == [ada, bob, carol, eve].map(\.key))
        try machine.carryOut(machine.removal(of: bob, by: [eve, carol]))
        try machine.append(61...61)
        #expect(try machine.associates().keys == [ada, carol, eve].map(\.key))
        #expect(try await machine.audit().verdict == .intact)
        #expect(try await machine.audit { $0.threadCount = 2 }.verdict == .intact)
    }

    @Test("attacks on a calm house: each is refused with its own words, and nothing changes")
    func attacks() async throws {
        let machine = try SimulatedMachine.governed()
        #expect(try machine.refusal(of: machine.addition(of: eve, by: [ada]))?.contains("1 of 2 signatures are there") == true)
        #expect(try machine.refusal(of: machine.addition(of: eve, by: [ada, eve]))?.contains("is no associate's") == true)
        #expect(
            try machine.refusal(of: machine.addition(of: ada, by: [ada, bob]))?.contains("is an associate's already") == true)
        let expired = try machine.addition(of: eve, by: [ada, bob], life: 1)
        #expect(try machine.refusal(of: expired)?.contains("expired at") == true)
        let removal = try machine.removal(of: eve, by: [ada, bob])
        #expect(try machine.refusal(of: removal)?.contains("is no associate's") == true)
        #expect(try machine.refusal(of: removal, as: .add)?.contains("was signed for associate.remove") == true)
        let below = try machine.removal(of: carol, threshold: 3, by: [ada, bob])
        #expect(try machine.refusal(of: below)?.contains("2 associates would be left, and 3 must sign") == true)
        let other = try SimulatedMachine.governed(seed: 2)
        let elsewhere = try other.addition(of: eve, by: [ada, bob])
        #expect(try machine.refusal(of: elsewhere)?.contains("is for another ledger") == true)
        // It works once, and what was signed before another act does not work behind it.
        let (first, second) = (try machine.addition(of: eve, by: [ada, bob]), try machine.removal(of: carol, by: [ada, bob]))
        try machine.carryOut(first)
        #expect(try machine.refusal(of: first)?.contains("it was carried out before") == true)
        #expect(try machine.refusal(of: second)?.contains("another act came first") == true)
        let plain = try SimulatedMachine(count: 2)
        #expect(try plain.refusal(of: first)?.contains("the ledger has no associates") == true)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("the clock went back since the last entry: the request has expired all the same")
    func clock() throws {
        let machine = try SimulatedMachine.governed()
        let request = try machine.addition(of: eve, by: [ada, bob], life: 1000)
        try machine.append(30...31)
        let early = TestLedger.environment(seed: 9)
        let back = SimulatedMachine(machine, machine.disk, early)
        #expect(early.now() < request.expires)
        #expect(try back.refusal(of: request)?.contains("expired at") == true)
    }

    @Test(
        "a locked house was put back to what it was: the release opens it, and what was seen is not forgotten", arguments: [0, 3])
    func anchored(entryCount: Int) throws {
        let machine = try SimulatedMachine.governed(count: 3)
        let anchors = MemoryAnchors()
        try machine.raiseAlert()
        let old = machine.copy()
        let release = AlertRelease(machine.environment, machine.settings, anchor: anchors)
        #expect(try release.run(machine.storage(), machine.release(by: [ada, bob])).anchorMessage == nil)
        if entryCount > 0 {
            var session = WriterSession(try machine.storage(), machine.environment, machine.settings, anchor: anchors)
            try session.acquire()
            for number in 1...entryCount { try session.record(TestLedger.draft(number)) }
            session.release()
        }
        let seen = anchors.read(try machine.tip().ledger).sighting
        #expect(try seen?.seq == machine.tip().seq)
        let outcome = try release.run(old.storage(), old.release(by: [ada, carol]))
        #expect(outcome.anchorMessage?.contains(entryCount == 0 ? "another history" : "stepped back") == true, "\(outcome)")
        #expect(anchors.read(try old.tip().ledger).sighting == seen)
        #expect(try !old.head().alert)
    }

    @Test(
        "a crash at any operation of an act or a release leaves it done or not, and whoever comes next goes on",
        arguments: [false, true])
    func crashes(isRelease: Bool) async throws {
        let start = try SimulatedMachine.governed(count: 3)
        if isRelease {
            try start.damage(3)
            try start.repair()
        }
        var tornCount = 0
        let request = try isRelease ? start.release(by: [ada, bob]) : start.addition(of: eve, by: [ada, bob])
        for operation in 0..<1000 {
            let machine = start.copy()
            let faulty = try machine.faulty(.at([operation: .crash(.everything)]))
            let error = ledgerError { () throws(LedgerError) in
                if isRelease {
                    _ = try AlertRelease(machine.environment, machine.settings).run(faulty, request)
                } else {
                    var session = WriterSession(faulty, machine.environment, machine.settings)
                    try session.acquire()
                    defer { session.release() }
                    _ = try session.carryOut(request, as: .add)
                }
            }
            for disk in machine.disk.crashImages(0..<2) {
                let after = SimulatedMachine(machine, disk)
                if isRelease {
                    // What a crash has left of a release is no tampering, and needs no repair.
                    let report = try await after.audit()
                    #expect(report.verdict == .intact || report.verdict == .torn, "operation \(operation): \(report.verdictLine)")
                    if report.verdict == .torn { tornCount += 1 }
                    if try after.head().alert { try after.open(with: request) }
                } else {
                    try after.append(30...30)
                    if try after.associates().keys.count == 3 { try after.carryOut(request) }
                    #expect(try after.associates().keys.count == 4)
                }
                try after.append(31...31)
                #expect(try await after.audit().verdict == .intact, "operation \(operation)")
            }
            if error == nil { return #expect(tornCount > 0 || !isRelease) }
        }
        Issue.record("it never came to its end")
    }
}
