import DurableFiles
import Foundation
import Synchronization
import Testing

@Suite("Locks exclude each other")
struct LockTests {
    @Test("The writer's lock has one holder, and goes to the next", arguments: StorageKind.allCases)
    func writer(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let other = try bench.another()
        #expect(try bench.storage.tryLock(.writer))
        #expect(try bench.storage.tryLock(.writer), "a holder may ask again")
        #expect(try !other.tryLock(.writer))
        other.unlock(.writer)
        #expect(try !other.tryLock(.writer), "who has no lock gives none back")
        bench.storage.unlock(.writer)
        #expect(try other.tryLock(.writer))
        #expect(try !bench.storage.tryLock(.writer))
    }

    @Test("The gate has one holder, and everybody sees that it is taken", arguments: StorageKind.allCases)
    func gate(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let other = try bench.another()
        #expect(try !bench.storage.gateIsTaken())
        #expect(try other.tryLock(.gate))
        #expect(try !other.tryLock(.gate), "the gate is opened anew each time")
        #expect(try bench.storage.gateIsTaken())
        #expect(try other.gateIsTaken())
        #expect(try !bench.storage.tryLock(.gate))
        other.unlock(.gate)
        #expect(try !bench.storage.gateIsTaken())
        #expect(try bench.storage.tryLock(.gate))
    }

    @Test("The writer's lock and the gate do not touch each other", arguments: StorageKind.allCases)
    func apart(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let other = try bench.another()
        #expect(try bench.storage.tryLock(.writer))
        #expect(try other.tryLock(.gate))
        #expect(try bench.storage.gateIsTaken())
        bench.storage.unlock(.writer)
        #expect(try other.tryLock(.writer))
        other.unlock(.gate)
        #expect(try !bench.storage.tryLock(.writer))
    }

    @Test("Locks go with the last reference to a storage", arguments: StorageKind.allCases)
    func released(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        do {
            let other = try bench.another()
            #expect(try other.tryLock(.writer))
            #expect(try other.tryLock(.gate))
            #expect(try !bench.storage.tryLock(.writer))
        }
        #expect(try bench.storage.tryLock(.writer))
        #expect(try bench.storage.tryLock(.gate))
    }

    @Test("A gate without its directory, or behind a link, fails", arguments: StorageKind.allCases)
    func noKeys(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        #expect(try bench.storage.tryLock(.gate))
        try bench.move(Layout.keys, to: StoragePath("elsewhere"))
        let error = #expect(throws: StorageError.self) { try bench.storage.gateIsTaken() }
        #expect(error?.isNotFound == true)
        try bench.plantLink(at: Layout.keys)
        let refusal = StorageError(.refused(.symbolicLink), "open", "\(bench.storage.basePath)/keys")
        #expect(throws: refusal) { try bench.storage.gateIsTaken() }
        #expect(throws: refusal) { try bench.storage.tryLock(.gate) }
        try bench.delete(Layout.keys)
        bench.storage.unlock(.gate)
        try bench.move(StoragePath("elsewhere"), to: Layout.keys)
        #expect(try !bench.storage.gateIsTaken())
    }

    @Test("A base in place of the locked one has a lock of its own", arguments: StorageKind.allCases)
    func replacedBase(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        #expect(try bench.storage.tryLock(.writer))
        try bench.moveBaseAway(replacing: true)
        let other = try bench.another()
        #expect(try other.tryLock(.writer))
        try other.checkBase()
        #expect(throws: StorageError.self) { try bench.storage.checkBase() }
    }

    @Test("Several threads never hold the lock at once", arguments: StorageKind.allCases)
    func threads(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storages = try (0..<4).map { _ in try bench.another() }
        let inside = Atomic(0)
        let violations = Atomic(0)
        let entries = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: storages.count) { index in
            let storage = storages[index]
            var done = 0
            while done < 200 {
                guard (try? storage.tryLock(.writer)) == true else {
                    sched_yield()
                    continue
                }
                if inside.add(1, ordering: .sequentiallyConsistent).newValue != 1 {
                    violations.add(1, ordering: .relaxed)
                }
                inside.subtract(1, ordering: .sequentiallyConsistent)
                storage.unlock(.writer)
                entries.add(1, ordering: .relaxed)
                done += 1
            }
        }
        #expect(violations.load(ordering: .relaxed) == 0)
        #expect(entries.load(ordering: .relaxed) == 800)
    }

    @Test("A simulated holder is named, and whether it is stopped")
    func simulatedHolder() throws {
        let disk = MemoryDisk.withEmptyBase()
        let (storage, other) = (try MemoryStorage(disk), try MemoryStorage(disk))
        #expect(storage.holder(of: .writer) == nil)
        #expect(storage.holder(of: .gate) == nil)
        #expect(try other.tryLock(.writer))
        other.setStopped(true)
        #expect(
            storage.holder(of: .writer) == LockHolder(process: other.process, command: "simulated", isStopped: true))
        other.setStopped(false)
        #expect(storage.holder(of: .writer)?.isStopped == false)
    }
}
