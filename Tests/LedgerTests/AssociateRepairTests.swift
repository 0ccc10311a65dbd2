import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Associates behind damage")
struct AssociateRepairTests {
    @Test(
        "an entry is damaged, wherever it stands: the repair leaves the house locked, and two sign it open",
        arguments: 2...20 as ClosedRange<UInt64>)
    func anywhere(seq: UInt64) async throws {
        let machine = try SimulatedMachine.governed()
        try machine.damage(seq)
        let outcome = try machine.repair()
        #expect(outcome.staysLocked && outcome.plan?.actors.associates?.keys.count == 3, "seq \(seq)")
        #expect(try machine.associates().isSuspended)
        #expect(try machine.releaseRefusal(of: machine.release(by: [ada]))?.message.contains("1 of 2") == true)
        let nobody: SignedRequest? = nil
        #expect(try machine.releaseRefusal(of: nobody)?.code == .refused)
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
        #expect(try machine.releaseRefusal(of: old)?.message.contains("another act came first") == true)
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

    @Test("all that told of associates is damaged: the repair goes on only if somebody says who they are, or that there are none")
    func allLost() async throws {
        let machine = try SimulatedMachine.governed(count: 5, segmentByteCount: 1 << 20)
        try machine.damage(1)
        // Whoever finds the damage raises the alert.
        #expect(try machine.openingError()?.code == .tampered)
        let before = machine.files
        let storage = try machine.storage()
        let refused = ledgerError { () throws(LedgerError) in
            _ = try Repair(machine.environment, machine.settings).run(storage)
        }
        #expect(refused?.code == .refused && machine.files == before)
        let given = machine.copy()
        let plan = try #require(try given.repair { $0.naming = .nobody }.plan)
        #expect(plan.actors.associates == nil && plan.losesAssociates)
        #expect(try given.openingError() == nil)
        try machine.repair { $0.naming = try? .init([ada, bob, carol].map(\.key), threshold: 2) }
        try await machine.expectReleasable()
    }

    @Test("a sealed entry that says who is enrolled, and of no associates, tells that there are none only where HEAD proves it")
    func none() throws {
        let machine = try SimulatedMachine(count: 5)
        try machine.write { session in _ = try session.enroll("user:eve", as: "worker", eve.key, reason: "test") }
        try machine.append(6...9)
        try machine.damage(1)
        let headless = machine.copy()
        headless.disk.delete(Layout.head)
        #expect(try machine.repair { $0.naming = nil }.plan?.losesAssociates == false)
        #expect(try machine.openingError() == nil)
        #expect(throws: LedgerError.self) { try headless.repair { $0.naming = nil } }
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
            if isLost { try machine.destroy(removal.seq) } else { try machine.damage(removal.seq - 2) }
            let plan = try #require(try machine.repair().plan)
            #expect(plan.mending.acts.count == (isLost ? 0 : 1) && plan.mending.withdrawn == (isLost ? [carol.key] : []))
            #expect(try machine.associates().signers == [ada.key, bob.key])
            #expect(try machine.releaseRefusal(of: machine.release(by: [ada, carol])) != nil)
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
        #expect(try #require(try machine.repair().plan).mending.isEmpty)
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
        try machine.destroy(first.seq)
        #expect(throws: LedgerError.self) { try machine.repair() }
        let plan = try #require(try machine.repair { $0.acceptsRemoved = true }.plan)
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
        #expect(try machine.releaseRefusal(of: nobody)?.message.contains("nobody has signed") == true)
        try await machine.expectReleasable()
        #expect(try machine.releaseRefusal(of: nobody)?.message.contains("not in alert") == true)
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
        #expect(try machine.releaseRefusal(of: request)?.code == .tampered)
        let plain = try SimulatedMachine(count: 3)
        try plain.raiseAlert()
        #expect(try plain.releaseRefusal(of: request)?.message.contains("has no associates") == true)
        try plain.repair()
        #expect(try plain.openingError() == nil)
    }
}
