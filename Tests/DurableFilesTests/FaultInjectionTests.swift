import DurableFiles
import Synchronization
import SystemPackage
import Testing

@Suite("Faults are injected as planned, and seen")
struct FaultInjectionTests {
    private let disk = MemoryDisk.withEmptyBase()

    private func storage(_ plan: FaultPlan = .none) throws -> FaultInjectingStorage {
        FaultInjectingStorage(try MemoryStorage(disk), plan)
    }

    @Test("The trace names each operation and its path")
    func trace() throws {
        let storage = try storage()
        try storage.makeDirectory(Layout.ledger)
        try storage.replace(.segment, text: "x")
        let aside = StoragePath("ledger", StoragePath.segment.name + ".new")
        #expect(
            storage.trace == [
                FaultOperation(kind: .makeDirectory, path: Layout.ledger), FaultOperation(kind: .remove, path: aside),
                FaultOperation(kind: .create, path: aside), FaultOperation(kind: .write, path: aside),
                FaultOperation(kind: .synchronize, path: aside), FaultOperation(kind: .rename, path: aside),
                FaultOperation(kind: .synchronizeDirectory, path: Layout.ledger),
            ])
        #expect(storage.trace.map(\.kind.isChange).allSatisfy { $0 })
        #expect(storage.trace[0].description == "makeDirectory ledger")
        #expect(storage.fired.isEmpty)
    }

    @Test("Every operation is counted and can fail, but giving locks back")
    func everything() throws {
        let plain = try MemoryStorage(disk)
        try plain.makeDirectory(Layout.keys)
        try plain.create(.key, text: "secret")
        let storage = try storage()
        let file = try storage.open(.key, .readWrite)
        #expect(try storage.tryLock(.writer))
        storage.setPlan(.rule { _, _ in .fail(.ioError) })
        var buffer: [UInt8] = [0]
        let calls: [(FaultOperation.Kind, () throws -> Void)] = [
            (.open, { _ = try storage.open(.key, .read) }), (.create, { _ = try storage.open(Layout.head, .create) }),
            (.status, { _ = try storage.status(of: .key) }), (.names, { _ = try storage.names(in: Layout.keys) }),
            (.makeDirectory, { try storage.makeDirectory(Layout.ledger) }),
            (.rename, { try storage.rename(.key, to: StoragePath("keys", "x")) }),
            (.exchange, { try storage.exchange(Layout.keys, with: Layout.ledger) }), (.remove, { try storage.remove(.key) }),
            (.synchronizeDirectory, { try storage.synchronize(directory: nil) }), (.publish, { try storage.publish() }),
            (.checkBase, { try storage.checkBase() }), (.lock, { _ = try storage.tryLock(.gate) }),
            (.testGate, { _ = try storage.gateIsTaken() }), (.fileStatus, { _ = try file.status() }),
            (.read, { _ = try file.read(into: &buffer, from: 0, at: 0) }),
            (.write, { try file.write(text: "x", at: 0) }),
            (.truncate, { try file.truncate(to: 0) }), (.setMode, { try file.setMode(0o600) }),
            (.synchronize, { try file.synchronize() }),
        ]
        #expect(Set(calls.map(\.0)) == Set(FaultOperation.Kind.allCases))
        for (kind, call) in calls {
            let error = #expect(throws: StorageError.self) { try call() }
            #expect(error?.kind == .system(.ioError), "\(kind)")
            #expect(storage.trace.last?.kind == kind)
            #expect(storage.fired.last?.operation.kind == kind)
        }
        storage.unlock(.writer)
        #expect(try plain.tryLock(.writer))
        #expect(disk.bytes(of: .key) == Array("secret".utf8))
        #expect(disk.files() == [.key])
    }

    @Test("A fault that never fired is visible")
    func unfired() throws {
        let storage = try storage(.at([1: .fail(.ioError), 2: .failSynchronize, 400: .crash(.nothing)]))
        try? storage.replace(Layout.head, text: "x")
        #expect(storage.fired.map(\.number) == [1])
        // Number 2 would have been no synchronisation, had the operation gone on.
        #expect(storage.unfired == [2, 400])
    }

    @Test("A short write leaves its first bytes and fails", arguments: [0, 1, 3, 9])
    func shortWrite(_ count: Int) throws {
        let storage = try storage(.at([1: .shortWrite(bytes: count, .noSpace)]))
        let file = try storage.open(Layout.head, .create)
        let error = #expect(throws: StorageError.self) { try file.write(text: "abcdef", at: 0) }
        #expect(error?.isOutOfSpace == true)
        #expect(try file.text() == String("abcdef".prefix(count)))
        try file.write(text: "abcdef", at: 0)
        #expect(try file.text() == "abcdef", "and the next one works")
    }

    @Test(
        "After a crash nothing works, nothing is counted, and the locks are free",
        arguments: [Fault.Progress.nothing, .bytes(2), .everything])
    func crash(_ progress: Fault.Progress) throws {
        let other = try MemoryStorage(disk)
        let storage = try storage(.at([2: .crash(progress)]))
        let file = try storage.open(Layout.head, .create)
        #expect(try storage.tryLock(.writer))
        let stopped = StorageError(.crashed, "write", "\(disk.basePath)/HEAD")
        #expect(throws: stopped) { try file.write(text: "abc", at: 0) }
        #expect(stopped.description == "the simulated machine stopped in write /memory/base/HEAD")
        #expect(storage.isCrashed)
        #expect(throws: stopped) { try file.write(text: "abc", at: 0) }
        #expect(#expect(throws: StorageError.self) { try storage.checkBase() }?.kind == .crashed)
        #expect(storage.trace.count == 3)
        #expect(storage.holder(of: .writer) == nil)
        #expect(try other.tryLock(.writer))
        storage.unlock(.writer)
        #expect(other.holder(of: .writer)?.process == other.process)
        let expected = [Fault.Progress.nothing: "", .bytes(2): "ab", .everything: "abc"]
        #expect(try other.text(of: Layout.head) == expected[progress])
    }

    @Test(
        "Random faults are the same for the same seed, and about as many as asked for",
        arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) throws {
        func run() throws -> [FiredFault] {
            let plan = FaultPlan.random(seed: seed, probability: 0.1, [.fail(.ioError), .fail(.noSpace)])
            let storage = FaultInjectingStorage(try MemoryStorage(.withEmptyBase()), plan)
            for _ in 0..<1000 { try? storage.checkBase() }
            return storage.fired
        }
        let fired = try run()
        #expect(try run() == fired)
        #expect((50...150).contains(fired.count))
        #expect(Set(fired.map(\.fault)).count == 2)
    }

    @Test("A rule may let another process run, and may stop this one")
    func rule() throws {
        let other = try MemoryStorage(disk)
        let storage = try storage()
        storage.setPlan(
            .rule { [weak storage] _, operation in
                if operation.kind == .create { try? other.create(StoragePath("theirs"), text: "x") }
                if operation.kind == .write { storage?.crash() }
                return nil
            })
        #expect(#expect(throws: StorageError.self) { try storage.create(Layout.head, text: "x") }?.kind == .crashed)
        #expect(disk.files() == [Layout.head, StoragePath("theirs")])
        #expect(disk.bytes(of: Layout.head) == [])
    }

    @Test("A full disk works again when there is room")
    func room() throws {
        let storage = try storage()
        try storage.create(Layout.head, text: "old")
        storage.setPlan(.rule { _, operation in operation.kind == .write ? .fail(.noSpace) : nil })
        for _ in 0..<3 {
            #expect(
                #expect(throws: StorageError.self) { try storage.replace(Layout.head, text: "new") }?.isOutOfSpace
                    == true)
            #expect(try storage.text(of: Layout.head) == "old")
        }
        storage.setPlan(.none)
        try storage.replace(Layout.head, text: "new")
        #expect(try storage.text(of: Layout.head) == "new")
        #expect(storage.fired.count == 3)
    }

    @Test("A storage that was opened again is under the same plan")
    func reopened() throws {
        let storage = FaultInjectingStorage(try MemoryStorage(.withEmptyBase()))
        let again = try storage.reopened()
        storage.setPlan(.rule { _, operation in operation.kind == .create ? .fail(.noSpace) : nil })
        let error = #expect(throws: StorageError.self) { try again.create(Layout.head, text: "x") }
        #expect(error?.isOutOfSpace == true)
        #expect(storage.fired.count == 1)
    }
}
