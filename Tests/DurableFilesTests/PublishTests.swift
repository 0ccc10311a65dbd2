import DurableFiles
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("A base is built aside and published")
struct PublishTests {
    @Test("A published POSIX base stands under its name, whole, and notices drift")
    func posix() throws {
        let directory = TemporaryDirectory()
        let storage = try POSIXStorage(constructing: directory("base"), random: 7)
        try storage.makeDirectory(Layout.ledger)
        try storage.create(Layout.head, text: "head")
        #expect(try directory.names() == [".bulla-init-7"])
        try storage.checkBase()
        try storage.publish()
        #expect(try directory.names() == ["base"])
        #expect(try directory.text(of: "base/HEAD") == "head")
        try storage.checkBase()
        try directory.move("base", to: "moved")
        #expect(throws: StorageError(.drift, "check", directory("base"))) { try storage.checkBase() }
    }

    @Test("A POSIX base is not built where something stands", arguments: ["file", "directory", "dangling link"])
    func posixOccupied(_ what: String) throws {
        let directory = TemporaryDirectory()
        try occupy(directory, what)
        #expect(throws: StorageError(.system(.fileExists), "make", directory("base"))) {
            try POSIXStorage(constructing: directory("base"), random: 7)
        }
        #expect(try directory.names() == ["base"])
    }

    @Test(
        "Publishing refuses what came in between, and abandoning leaves nothing",
        arguments: ["file", "directory", "dangling link"])
    func posixOvertaken(_ what: String) throws {
        let directory = TemporaryDirectory()
        let storage = try POSIXStorage(constructing: directory("base"), random: 7)
        try storage.makeDirectory(Layout.ledger)
        try storage.makeDirectory(Layout.keys)
        try storage.create(.segment, text: "frames")
        try storage.create(Layout.head, text: "head")
        try occupy(directory, what)
        let error = #expect(throws: StorageError.self) { try storage.publish() }
        #expect(error == StorageError(.system(.fileExists), "make", directory("base")))
        #expect(error?.isExisting == true)
        storage.abandon()
        #expect(try directory.names() == ["base"])
        #expect(try FileManager.default.attributesOfItem(atPath: directory("base"))[.size] != nil)
    }

    @Test("Abandoning after publishing destroys nothing")
    func posixAbandonedLate() throws {
        let directory = TemporaryDirectory()
        let storage = try POSIXStorage(constructing: directory("base"), random: 7)
        try storage.create(Layout.head, text: "head")
        try storage.publish()
        storage.abandon()
        #expect(try directory.text(of: "base/HEAD") == "head")
    }

    @Test("Whoever makes a POSIX base holds its lock until it has its name, so that nobody takes it for an orphan")
    func posixLocked() throws {
        let directory = TemporaryDirectory()
        let storage = try POSIXStorage(constructing: directory("base"), random: 7)
        let other = try POSIXStorage(constructing: directory("other"), random: 8)
        #expect(other.removeOrphans().isEmpty)
        #expect(try directory.names().sorted() == [".bulla-init-7", ".bulla-init-8"])
        try storage.publish()
        #expect(try POSIXStorage(path: directory("base")).tryLock(.writer))
    }

    @Test(
        "An orphan is found from every way to name its neighbour, and its name alone is taken",
        arguments: ["base", "base/", "./base"])
    func orphans(_ name: String) throws {
        let directory = TemporaryDirectory()
        try directory.make("base")
        for orphan in [".bulla-init-0", ".bulla-init-ffffffffffffffff"] { try directory.make(orphan) }
        for other in [".bulla-init-", ".bulla-init-00", ".bulla-init-+1", ".bulla-init-10000000000000000", "bulla-init-1"] {
            try directory.make(other)
        }
        let modes = [FileAttributeKey.posixPermissions: 0o700]
        for orphan in [".bulla-init-0", ".bulla-init-ffffffffffffffff"] {
            try FileManager.default.setAttributes(modes, ofItemAtPath: directory(orphan))
        }
        let found = POSIXStorage.orphans(beside: directory.path + "/" + name)
        #expect(found.count == 2 && found.allSatisfy { $0.obstacle == nil }, "\(found)")
        let storage = try POSIXStorage(constructing: directory("new"), random: 7)
        #expect(storage.removeOrphans() == found)
        // Its own stays, and so does what is none.
        #expect(try directory.names().count == 7)
        #expect(POSIXStorage.orphans(beside: directory.path + "/none/" + name).isEmpty)
    }

    @Test("A base needs a name", arguments: ["/", "..", "/tmp/..", "."])
    func nameless(_ path: String) {
        #expect(throws: StorageError(.system(.invalidArgument), "make", path)) {
            try POSIXStorage(constructing: path, random: 7)
        }
    }

    @Test("Of two POSIX bases that are built for one name the first one published stands")
    func rivals() throws {
        let directory = TemporaryDirectory()
        let storage = try POSIXStorage(constructing: directory("base"), random: 7)
        let rival = try POSIXStorage(constructing: directory("base"), random: 8)
        try storage.publish()
        #expect(#expect(throws: StorageError.self) { try rival.publish() }?.isExisting == true)
        try storage.checkBase()
    }

    @Test("A base in memory is there after publishing, and only one")
    func memory() throws {
        let disk = MemoryDisk()
        #expect(#expect(throws: StorageError.self) { try MemoryStorage(disk) }?.isNotFound == true)
        let (storage, rival) = (try MemoryStorage(constructing: disk), try MemoryStorage(constructing: disk))
        try storage.create(Layout.head, text: "head")
        try storage.checkBase()
        try storage.publish()
        try storage.checkBase()
        #expect(#expect(throws: StorageError.self) { try rival.publish() }?.isExisting == true)
        #expect(#expect(throws: StorageError.self) { try MemoryStorage(constructing: disk) }?.isExisting == true)
        #expect(try MemoryStorage(disk).text(of: Layout.head) == "head")
        disk.replaceBase()
        #expect(throws: StorageError(.drift, "check", disk.basePath)) { try storage.checkBase() }
    }

    @Test("A crash leaves no base in memory, or the whole", arguments: [0, 1000] as [UInt64])
    func crash(firstSeed: UInt64) throws {
        var (absent, whole) = (0, 0)
        for seed in firstSeed..<firstSeed + 1000 {
            let disk = MemoryDisk()
            let storage = FaultInjectingStorage(
                try MemoryStorage(constructing: disk),
                .at([Int(seed % 8): .crash(seed % 3 == 0 ? .everything : .nothing)]))
            try? build(storage)
            let image = disk.crashImage(seed: seed)
            guard let after = try? MemoryStorage(image) else {
                absent += 1
                #expect(storage.isCrashed, "seed \(seed): an acknowledged base is gone")
                continue
            }
            whole += 1
            #expect(try after.text(of: Layout.head) == "head", "seed \(seed)")
            #expect(try after.status(of: Layout.ledger) != nil, "seed \(seed)")
        }
        #expect(absent > 0)
        #expect(whole > 0)
    }

    private func build(_ storage: any Storage) throws {
        try storage.makeDirectory(Layout.ledger)
        try storage.create(Layout.head, text: "head")
        try storage.publish()
    }

    private func occupy(_ directory: TemporaryDirectory, _ what: String) throws {
        switch what {
        case "file": try directory.write(text: "mine", to: "base")
        case "directory": try directory.make("base")
        default: try directory.link("base", toPath: "/nowhere")
        }
    }
}
