import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import SystemPackage
import TestSupport
import Testing

@Suite("A long-lived process, and what happens beside it")
struct RunnerTests {
    /// A process, and its storages in the order in which it opened them: 1 holds identities, 2 is read by slices.
    private func start(_ machine: SimulatedMachine) async throws -> (runner: Runner, storages: [FaultInjectingStorage]) {
        let opened = Mutex<[FaultInjectingStorage]>([])
        let runner = try await Runner(machine.environment, machine.settings) { () throws(LedgerError) -> any Storage in
            let storage = try doing("cannot open") { () throws(StorageError) in
                FaultInjectingStorage(try MemoryStorage(machine.disk))
            }
            opened.withLock { $0.append(storage) }
            return storage
        }
        let storages = opened.withLock { $0 }
        try #require(storages.count == 4)
        return (runner, storages)
    }

    @Test("the key is changed beside it: it goes on with the new one")
    func rotation() async throws {
        let machine = try SimulatedMachine(count: 2)
        var runner = try await start(machine).runner
        _ = try await runner.goOnline(process: 1)
        try machine.rotateKey()
        for _ in 0..<2 { _ = try await runner.pulse() }
        #expect(try machine.count("run.pulse") == 2)
    }

    @Test("identities that cannot be looked at are an I/O error, and no alarm")
    func unknown() async throws {
        let machine = try SimulatedMachine(count: 2)
        let started = try await start(machine)
        var runner = started.runner
        _ = try await runner.goOnline(process: 1)
        started.storages[1].setPlan(.rule { _, operation in operation.kind == .checkBase ? .fail(.ioError) : nil })
        var error: LedgerError?
        do throws(LedgerError) { _ = try await runner.pulse() } catch let found { error = found }
        #expect(error?.code == .inputOutput, "\(String(describing: error))")
        #expect(error?.message.contains("still the one that was opened") == true)
        #expect(try !machine.head().alert)
    }

    @Test("a slice that cannot read says so")
    func unreadable() async throws {
        let machine = try SimulatedMachine(count: 2)
        let started = try await start(machine)
        started.storages[2].setPlan(.rule { _, operation in operation.kind == .read ? .fail(.ioError) : nil })
        switch await started.runner.slice(.deep)() {
        case .success: Issue.record("nothing could be read")
        case .failure(let error): #expect(error.code == .inputOutput, "\(error)")
        }
    }

    /// Why nothing can be written any more.
    enum Standstill: CaseIterable, Sendable { case alert, alertOverDamage, keyless }

    @Test("an audit behind which nothing can be written ends it, with the reason", arguments: Standstill.allCases)
    func standstill(_ kind: Standstill) async throws {
        let machine = try SimulatedMachine(count: 3)
        var runner = try await start(machine).runner
        var head = try machine.head()
        head.alert = kind != .keyless
        let bytes = try head.sealed(with: machine.key())
        machine.disk.setBytes(of: Layout.head, to: bytes)
        let expected: ErrorCode
        switch kind {
        case .alert: expected = .locked
        case .alertOverDamage:
            machine.disk.flip(1, at: 200, of: SegmentReader.path(ofSegment: 1))
            expected = .tampered
        case .keyless:
            let key = try #require(machine.disk.files().first { $0.directory == "keys" })
            machine.disk.delete(key)
            expected = .unverifiable
        }
        let finding = try await runner.slice(.deep)().get()
        let before = machine.files
        var error: LedgerError?
        do throws(LedgerError) { try await runner.take(finding) } catch let found { error = found }
        #expect(error?.code == expected, "\(String(describing: error))")
        #expect(machine.files == before)
    }

    @Test(
        "while somebody else keeps the lock, a result is told and not recorded; damage is an error all the same",
        arguments: [false, true])
    func busy(isDamaged: Bool) async throws {
        let machine = try SimulatedMachine(count: 3)
        var runner = try await start(machine).runner
        if isDamaged { machine.disk.flip(1, at: 200, of: SegmentReader.path(ofSegment: 1)) }
        let finding = try await runner.slice(.deep)().get()
        let other = try machine.storage()
        try #require(try other.tryLock(.writer))
        defer { other.unlock(.writer) }
        var error: LedgerError?
        do throws(LedgerError) { try await runner.take(finding) } catch let found { error = found }
        let notices = runner.takeNotices()
        if isDamaged {
            #expect(error?.code == .tampered, "\(String(describing: error))")
        } else {
            #expect(error == nil, "\(String(describing: error))")
            #expect(notices.contains { $0.contains("the result of an audit was not recorded") }, "\(notices)")
        }
    }

    @Test("what its keeper was told is an entry")
    func notice() async throws {
        let machine = try SimulatedMachine(count: 1)
        let runner = try await start(machine).runner
        await runner.record(notice: "the disk is nearly full")
        let entry = try #require(try machine.entries().last)
        #expect(entry.action == "run.notice")
        let body = try JSON(parsing: entry.body)
        #expect(body["text"]?.string == "the disk is nearly full")
    }
}
