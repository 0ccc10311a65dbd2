import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// Ada, Bob and Carol, two of whom must sign.
private let (ada, bob, carol, eve) = (TestActors.ada, TestActors.bob, TestActors.carol, TestActors.eve)

extension SimulatedMachine {
    /// Entries behind the first, which names associates, in small segments.
    fileprivate static func governed(count: Int = 20, segmentByteCount: Int = 4000, seed: UInt64 = 1) throws -> SimulatedMachine {
        var settings = WriterSettings()
        settings.segmentByteCount = segmentByteCount
        settings.preallocationByteCountMax = 0
        return try SimulatedMachine(seed: seed, count: count, settings: settings, founders: ([ada.key, bob.key, carol.key], 2))
    }

    fileprivate func associates() throws -> Associates { try #require(try LedgerView(storage()).actors().associates) }

    fileprivate func request(
        _ verb: SignedRequest.Verb, _ arguments: JSONObject, by signers: [ActorSigner], life: Int64 = 1_000_000_000
    ) throws -> SignedRequest {
        var request = SignedRequest(
            verb, arguments, in: try tip().ledger, base: try associates().act.hash,
            nonce: environment.randomText() + environment.randomText(),
            expires: Timestamp(microseconds: environment.now().microseconds + life))
        for signer in signers { request.sign(with: signer) }
        return request
    }

    fileprivate func addition(of signer: ActorSigner, by signers: [ActorSigner], life: Int64 = 1_000_000_000) throws
        -> SignedRequest
    {
        try request(.add, SignedRequest.addition(of: signer.key, threshold: 2, reason: "test"), by: signers, life: life)
    }

    fileprivate func removal(of signer: ActorSigner, threshold: Int = 2, by signers: [ActorSigner]) throws -> SignedRequest {
        try request(.remove, SignedRequest.removal(of: signer.key, threshold: threshold, reason: "test"), by: signers)
    }

    fileprivate func release(by signers: [ActorSigner]) throws -> SignedRequest {
        let arguments = SignedRequest.release(of: try associates(), behind: try tip().hash, reason: "test")
        return try request(.release, arguments, by: signers)
    }

    @discardableResult
    fileprivate func carryOut(_ request: SignedRequest, as verb: SignedRequest.Verb? = nil) throws -> Receipt {
        try write { session in try session.carryOut(request, as: verb ?? request.verb) }
    }

    @discardableResult
    fileprivate func open(with request: SignedRequest?) throws -> Receipt {
        try AlertRelease(environment, settings).run(storage(), request)
    }

    /// What a refused release says; nothing but that.
    fileprivate func refusal(of request: SignedRequest?) throws -> LedgerError? {
        let before = files
        let storage = try storage()
        let error = ledgerError { () throws(LedgerError) in _ = try AlertRelease(environment, settings).run(storage, request) }
        #expect(files == before)
        return error
    }

    fileprivate func refusal(of request: SignedRequest, as verb: SignedRequest.Verb? = nil) throws -> String? {
        let before = files
        let error = try write { session in
            ledgerError { () throws(LedgerError) in _ = try session.carryOut(request, as: verb ?? request.verb) }
        }
        guard let error else { return nil }
        #expect(error.code == .refused && files == before, "\(error)")
        return error.message
    }

    fileprivate func damage(_ seq: UInt64) throws {
        let place = try place(seq)
        disk.flip(1, at: place.offset + 40, of: SegmentReader.path(ofSegment: place.segment))
    }

    fileprivate func raiseAlert() throws {
        var head = try head()
        head.alert = true
        disk.setBytes(of: Layout.head, to: head.sealed(with: try key()))
    }

    /// Locked, and released by two of those who count.
    fileprivate func expectReleasable(by signers: [ActorSigner] = [ada, bob], _ note: String = "") async throws {
        #expect(try head().alert && openingError()?.code == .locked, "\(note)")
        #expect(try await audit().verdict == .intact, "\(note)")
        try open(with: release(by: signers))
        #expect(try !head().alert && openingError() == nil, "\(note)")
        try append(90...91)
        let report = try await audit()
        #expect(report.verdict == .intact, "\(note): \(report.verdictLine)")
    }
}

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
        "a crash at any operation of an act or a release leaves it done or not, and whoever comes next goes on",
        arguments: [false, true])
    func crashes(isRelease: Bool) async throws {
        let start = try SimulatedMachine.governed(count: 3)
        if isRelease {
            try start.damage(3)
            try start.repair()
        }
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
                    if try after.head().alert { try after.open(with: request) }
                } else {
                    try after.append(30...30)
                    if try after.associates().keys.count == 3 { try after.carryOut(request) }
                    #expect(try after.associates().keys.count == 4)
                }
                try after.append(31...31)
                #expect(try await after.audit().verdict == .intact, "operation \(operation)")
            }
            if error == nil { return }
        }
        Issue.record("it never came to its end")
    }
}

@Suite("Associates behind damage")
struct AssociateRepairTests {
    @Test(
        "an entry is damaged, wherever it stands: the repair leaves the house locked, and two sign it open",
        arguments: 2...24 as ClosedRange<UInt64>)
    func anywhere(seq: UInt64) async throws {
        let machine = try SimulatedMachine.governed()
        try machine.damage(seq)
        let outcome = try machine.repair()
        #expect(outcome.staysLocked && outcome.plan?.actors.associates?.keys.count == 3, "seq \(seq)")
        #expect(try machine.associates().isSuspended)
        #expect(try machine.refusal(of: machine.release(by: [ada]))?.message.contains("1 of 2") == true)
        let nobody: SignedRequest? = nil
        #expect(try machine.refusal(of: nobody)?.code == .refused)
        try await machine.expectReleasable("seq \(seq)")
        #expect(try !machine.associates().isSuspended)
    }

    @Test("damaged again before the release, and behind it")
    func twice() async throws {
        let machine = try SimulatedMachine.governed()
        try machine.damage(12)
        try machine.repair()
        let old = try machine.release(by: [ada, bob])
        try machine.damage(machine.tip().seq)
        try machine.repair()
        #expect(try machine.refusal(of: old)?.message.contains("another act came first") == true)
        try await machine.expectReleasable()
        try machine.damage(machine.tip().seq - 1)
        try machine.repair()
        try await machine.expectReleasable()
    }

    @Test("the first entry is damaged: the next segment still says who signs")
    func genesis() async throws {
        let machine = try SimulatedMachine.governed()
        try machine.damage(1)
        try machine.repair()
        try await machine.expectReleasable()
    }

    @Test("all that told of associates is damaged: the plan says that nothing is known")
    func allLost() throws {
        let machine = try SimulatedMachine.governed(count: 5, segmentByteCount: 1 << 20)
        try machine.damage(1)
        let plan = try #require(try machine.repair().plan)
        #expect(plan.actors.associates == nil && !plan.prefix.knowsActors)
    }

    @Test("HEAD of before is put back between repair and release: the chain itself says that the house is locked")
    func oldHead() async throws {
        let machine = try SimulatedMachine.governed()
        let calm = machine.headBytes
        try machine.append(30...40)
        try machine.damage(machine.tip().seq - 3)
        try machine.repair()
        machine.disk.setBytes(of: Layout.head, to: calm)
        #expect(try machine.openingError()?.code == .locked)
        #expect(try machine.head().alert)
        try await machine.expectReleasable()
    }

    @Test("a removal behind the damage counts by its signatures, and where it is lost too, by what later entries say")
    func removals() async throws {
        for isLost in [false, true] {
            let machine = try SimulatedMachine.governed()
            let removal = try machine.carryOut(machine.removal(of: carol, by: [ada, bob]))
            try machine.append(30...60)
            try machine.damage(isLost ? removal.seq : removal.seq - 2)
            let plan = try #require(try machine.repair().plan)
            #expect(plan.mending.acts.count == (isLost ? 0 : 1) && plan.mending.withdrawn == (isLost ? [carol.key] : []))
            #expect(try machine.associates().signers == [ada.key, bob.key])
            #expect(try machine.refusal(of: machine.release(by: [ada, carol])) != nil)
            try await machine.expectReleasable("\(isLost)")
            #expect(try machine.associates().keys == [ada.key, bob.key])
        }
    }

    @Test("an addition that is lost must be signed again")
    func additions() async throws {
        let machine = try SimulatedMachine.governed()
        let addition = try machine.carryOut(machine.addition(of: eve, by: [ada, bob]))
        try machine.append(30...60)
        try machine.damage(addition.seq)
        try machine.repair()
        #expect(try machine.associates().keys == [ada, bob, carol].map(\.key))
        try await machine.expectReleasable()
    }

    @Test("whoever is back because too few would be left is named")
    func returning() throws {
        let machine = try SimulatedMachine.governed()
        let first = try machine.carryOut(machine.removal(of: carol, by: [ada, bob]))
        try machine.carryOut(machine.addition(of: eve, by: [ada, bob]))
        try machine.carryOut(machine.removal(of: bob, by: [ada, bob]))
        try machine.append(30...60)
        try machine.damage(first.seq)
        let plan = try #require(try machine.repair().plan)
        #expect(plan.returningAssociates == [bob.key, carol.key] && plan.mending.isEmpty)
    }

    @Test("a whole ledger in alert is not repaired but released, and an interrupted release is finished once")
    func whole() async throws {
        let machine = try SimulatedMachine.governed()
        try machine.raiseAlert()
        let before = machine.files
        let outcome = try machine.repair()
        #expect(outcome.plan?.awaitsRelease == true && outcome.receipt == nil && machine.files == before)
        let locked = machine.headBytes
        let receipt = try machine.open(with: machine.release(by: [bob, carol]))
        #expect(try machine.openingError() == nil)
        // A crash between the entry and HEAD.
        machine.disk.setBytes(of: Layout.head, to: locked)
        #expect(try machine.openingError()?.code == .locked)
        #expect(try machine.open(with: nil) == receipt)
        #expect(try machine.openingError() == nil)
        // The next alert is another one.
        try machine.raiseAlert()
        let nobody: SignedRequest? = nil
        #expect(try machine.refusal(of: nobody)?.message.contains("nobody has signed") == true)
        try await machine.expectReleasable()
        #expect(try machine.refusal(of: nobody)?.message.contains("not in alert") == true)
    }

    @Test("HEAD is gone: it is rebuilt in alert, and released")
    func rebuilt() async throws {
        let machine = try SimulatedMachine.governed()
        machine.disk.delete(Layout.head)
        #expect(try machine.openingError()?.code == .tampered)
        try await machine.expectReleasable()
    }

    @Test("HEAD is wrong, and the ledger whole: the repair writes it, in alert")
    func wrongHead() async throws {
        let machine = try SimulatedMachine.governed()
        machine.disk.setBytes(of: Layout.head, to: machine.headBytes + [0x0A])
        let outcome = try machine.repair()
        #expect(outcome.staysLocked)
        try await machine.expectReleasable()
    }

    @Test("a damaged ledger is not released, and one without associates not by signatures")
    func refused() throws {
        let machine = try SimulatedMachine.governed()
        let request = try machine.release(by: [ada, bob])
        try machine.raiseAlert()
        try machine.damage(5)
        #expect(try machine.refusal(of: request)?.code == .tampered)
        let plain = try SimulatedMachine(count: 3)
        try plain.raiseAlert()
        #expect(try plain.refusal(of: request)?.message.contains("has no associates") == true)
        try plain.repair()
        #expect(try plain.openingError() == nil)
    }
}
