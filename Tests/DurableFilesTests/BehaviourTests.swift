import DurableFiles
import SystemPackage
import Testing

@Suite("Every storage behaves alike")
struct BehaviourTests {
    @Test("A created file has its contents, mode 600, one link and our user", arguments: StorageKind.allCases)
    func created(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.create(.key, text: "secret")
        #expect(try storage.text(of: .key) == "secret")
        let status = try #require(try storage.status(of: .key))
        #expect(status.kind == .regular)
        #expect(status.size == 6)
        #expect(status.linkCount == 1)
        #expect(status.owner == storage.owner)
        #expect(status.mode == 0o600)
    }

    @Test("A file is created once only", arguments: StorageKind.allCases)
    func createdOnce(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.create(Layout.head, text: "first")
        let error = #expect(throws: StorageError.self) { try storage.create(Layout.head, text: "second") }
        #expect(error == StorageError(.system(.fileExists), "open", "\(storage.basePath)/HEAD"))
        #expect(error?.isExisting == true)
        #expect(try storage.text(of: Layout.head) == "first")
    }

    @Test(
        "A replacement is another file with the new contents and leaves nothing aside", arguments: StorageKind.allCases)
    func replaced(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.replace(.segment, text: "old, and longer")
        let before = try #require(try storage.status(of: .segment)).identity
        try storage.replace(.segment, text: "new")
        #expect(try storage.text(of: .segment) == "new")
        #expect(try storage.names(in: Layout.ledger) == [StoragePath.segment.name])
        #expect(try #require(try storage.status(of: .segment)).identity != before)
    }

    @Test("A replacement removes what an earlier one left aside", arguments: StorageKind.allCases)
    func replacedOverOrphan(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let orphan = StoragePath("ledger", StoragePath.segment.name + ".new")
        try storage.create(orphan, text: "half of a replacement that was never finished")
        try storage.replace(.segment, text: "whole")
        #expect(try storage.text(of: .segment) == "whole")
        #expect(try storage.status(of: orphan) == nil)
    }

    @Test("Evidence that stands already is kept as it is", arguments: StorageKind.allCases)
    func keptTwice(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.keep(.segment, text: "evidence")
        let identity = try #require(try storage.status(of: .segment)).identity
        try storage.keep(.segment, text: "evidence")
        #expect(try #require(try storage.status(of: .segment)).identity == identity)
    }

    @Test("Evidence replaces other bytes of the same length", arguments: StorageKind.allCases)
    func keptOverOther(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.keep(.segment, text: "evidence")
        try storage.keep(.segment, text: "Evidence")
        #expect(try storage.text(of: .segment) == "Evidence")
        try storage.keep(.segment, text: "")
        #expect(try storage.text(of: .segment) == "")
    }

    @Test("A moved file keeps its identity and replaces what stood there", arguments: StorageKind.allCases)
    func moved(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let target = StoragePath("ledger", "target")
        try storage.create(.segment, text: "moved")
        try storage.create(target, text: "replaced")
        let identity = try #require(try storage.status(of: .segment)).identity
        try storage.move(.segment, to: target)
        #expect(try storage.text(of: target) == "moved")
        #expect(try storage.status(of: .segment) == nil)
        #expect(try #require(try storage.status(of: target)).identity == identity)
    }

    @Test("Appending writes where it is told, and a gap reads as NULs", arguments: StorageKind.allCases)
    func appended(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let file = try storage.open(.segment, .create)
        try file.append(text: "one", at: 0)
        try file.append(text: "two", at: 3)
        try file.append(text: "x", at: 8)
        #expect(try file.text() == "onetwo\0\0x")
        try file.append(text: "TWO\u{1}", at: 3)
        #expect(try file.text() == "oneTWO\u{1}\0x")
        #expect(try file.status().size == 9)
    }

    @Test("Cutting shortens, and lengthens with NULs", arguments: StorageKind.allCases)
    func cut(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let file = try storage.open(.segment, .create)
        try file.append(text: "abcdef", at: 0)
        try file.cut(to: 2)
        #expect(try file.text() == "ab")
        try file.cut(to: 4)
        #expect(try file.text() == "ab\0\0")
        try file.cut(to: 0)
        #expect(try file.text() == "")
    }

    @Test("Reading fills the buffer from an index on and says how much there was", arguments: StorageKind.allCases)
    func reading(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.create(.segment, text: "abcdef")
        let file = try storage.open(.segment, .read)
        var buffer: [UInt8] = [0, 0, 0, 0, 0]
        #expect(try file.read(into: &buffer, from: 2, at: 1) == 3)
        #expect(buffer == [0, 0, 0x62, 0x63, 0x64])
        #expect(try file.read(into: &buffer, from: 1, at: 5) == 1)
        #expect(buffer == [0, 0x66, 0x62, 0x63, 0x64])
        #expect(try file.read(into: &buffer, from: 5, at: 0) == 0)
        #expect(try file.read(into: &buffer, from: 0, at: 6) == 0)
        #expect(try file.read(into: &buffer, from: 0, at: 600) == 0)
    }

    @Test("Contents are read up to one byte more than the limit", arguments: StorageKind.allCases)
    func limited(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.create(.segment, text: "abcdef")
        let file = try storage.open(.segment, .read)
        #expect(try file.contents(upTo: 6).count == 6)
        #expect(try file.contents(upTo: 5).count == 6)
        #expect(try file.contents(upTo: 2).count == 3)
    }

    @Test("A file opened for reading is not written", arguments: StorageKind.allCases)
    func readOnly(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.create(.segment, text: "abc")
        let file = try storage.open(.segment, .read)
        #expect(throws: StorageError.self) { try file.write(text: "x", at: 0) }
        #expect(throws: StorageError.self) { try file.truncate(to: 0) }
        #expect(try storage.text(of: .segment) == "abc")
    }

    @Test("An open file outlives its name", arguments: StorageKind.allCases)
    func openAfterRemoval(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.create(.segment, text: "abc")
        let file = try storage.open(.segment, .readWrite)
        try storage.remove(.segment)
        try storage.create(.segment, text: "another")
        #expect(try file.text() == "abc")
        #expect(try file.status().linkCount == 0)
        try file.append(text: "def", at: 3)
        #expect(try storage.text(of: .segment) == "another")
    }

    @Test("What is absent has no status and fails to open, rename and go", arguments: StorageKind.allCases)
    func absent(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        for path in [Layout.head, .segment, StoragePath("nowhere", "x")] {
            #expect(try storage.status(of: path) == nil)
            for access in [FileAccess.read, .readWrite] {
                let error = #expect(throws: StorageError.self) { try storage.open(path, access) }
                #expect(error?.isNotFound == true)
            }
            let target = path.directory.map { StoragePath($0, "target") } ?? StoragePath("target")
            #expect(#expect(throws: StorageError.self) { try storage.remove(path) }?.isNotFound == true)
            #expect(#expect(throws: StorageError.self) { try storage.rename(path, to: target) }?.isNotFound == true)
        }
        #expect(throws: StorageError.self) { try storage.open(StoragePath("nowhere", "x"), .create) }
        #expect(throws: StorageError.self) { try storage.names(in: StoragePath("nowhere")) }
        #expect(throws: StorageError.self) { try storage.synchronize(directory: StoragePath("nowhere")) }
    }

    @Test("Names are those of the directory, and a directory is made once", arguments: StorageKind.allCases)
    func names(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        for name in ["b", "a", "c"] { try storage.create(StoragePath("ledger", name), text: name) }
        #expect(try storage.sortedNames(in: Layout.ledger) == ["a", "b", "c"])
        #expect(try storage.names(in: Layout.keys) == [])
        #expect(#expect(throws: StorageError.self) { try storage.makeDirectory(Layout.keys) }?.isExisting == true)
        let status = try #require(try storage.status(of: Layout.keys))
        #expect(status.kind == .directory)
        #expect(status.mode == 0o700)
    }

    @Test("A directory in place of a file is refused, and not removed as one", arguments: StorageKind.allCases)
    func directoryAsFile(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.makeDirectory(Layout.head)
        let refused = StorageError(.refused(.notRegular(.directory)), "open", "\(storage.basePath)/HEAD")
        #expect(throws: refused) { try storage.open(Layout.head, .read) }
        #expect(throws: refused) { try storage.open(Layout.head, .readWrite) }
        #expect(throws: StorageError.self) { try storage.remove(Layout.head) }
        #expect(throws: StorageError.self) { try storage.replace(Layout.head, text: "x") }
        #expect(try #require(try storage.status(of: Layout.head)).kind == .directory)
    }

    @Test("A symbolic link or a file in place of a directory is refused", arguments: StorageKind.allCases)
    func noDirectory(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let path = StoragePath("quarantine", "x")
        let shown = "\(storage.basePath)/quarantine"
        try bench.plantLink(at: Layout.quarantine)
        let link = StorageError(.refused(.symbolicLink), "open", shown)
        #expect(throws: link) { try storage.open(path, .create) }
        #expect(throws: link) { try storage.status(of: path) }
        #expect(throws: link) { try storage.names(in: Layout.quarantine) }
        #expect(throws: link) { try storage.remove(path) }
        #expect(throws: link) { try storage.synchronize(directory: Layout.quarantine) }
        #expect(try #require(try storage.status(of: Layout.quarantine)).kind == .symbolicLink)
        try bench.delete(Layout.quarantine)
        try bench.put("file", at: Layout.quarantine)
        let file = StorageError(.refused(.notDirectory(.regular)), "open", shown)
        #expect(throws: file) { try storage.open(path, .create) }
        #expect(throws: file) { try storage.names(in: Layout.quarantine) }
    }

    @Test("A directory takes the place of an empty one only", arguments: StorageKind.allCases)
    func directoryOverDirectory(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let path = StoragePath("keys", "x")
        try storage.create(path, text: "x")
        let error = #expect(throws: StorageError.self) { try storage.rename(Layout.ledger, to: Layout.keys) }
        #expect(error?.isExisting == true)
        #expect(try storage.text(of: path) == "x")
        try storage.remove(path)
        try storage.rename(Layout.ledger, to: Layout.keys)
        #expect(try storage.status(of: Layout.ledger) == nil)
    }

    @Test("What is reopened is the base that its path leads to now", arguments: StorageKind.allCases)
    func reopened(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.create(Layout.head, text: "old")
        try bench.moveBaseAway(replacing: true)
        let reopened = try storage.reopened()
        try reopened.checkBase()
        #expect(try reopened.text(of: Layout.head) == nil)
        #expect(try storage.text(of: Layout.head) == "old")
        #expect(try storage.tryLock(.writer) && reopened.tryLock(.writer), "each is the lock of its own base")
        let gone = try Bench(kind)
        try gone.moveBaseAway(replacing: false)
        #expect(#expect(throws: StorageError.self) { try gone.storage.reopened() }?.isNotFound == true)
    }

    @Test("Directories change places whole, also with one that lies deeper, and back", arguments: StorageKind.allCases)
    func exchanged(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let beside = StoragePath(Layout.quarantine, "beside")
        let inside = StoragePath(beside, StoragePath.segment.name)
        try storage.makeDirectory(Layout.quarantine)
        try storage.makeDirectory(beside)
        try storage.create(.segment, text: "one")
        try storage.create(inside, text: "other")
        let identity = try #require(try storage.status(of: Layout.ledger)).identity
        try storage.swap(Layout.ledger, with: beside)
        #expect(try storage.text(of: .segment) == "other" && storage.text(of: inside) == "one")
        #expect(try #require(try storage.status(of: beside)).identity == identity)
        #expect(try storage.sortedNames(in: Layout.quarantine) == ["beside"])
        #expect(try storage.sortedNames(in: beside) == [StoragePath.segment.name])
        try storage.swap(beside, with: Layout.ledger)
        #expect(try storage.text(of: .segment) == "one" && storage.text(of: inside) == "other")
    }

    @Test("Of two that should change places one is absent: nothing moves", arguments: StorageKind.allCases)
    func exchangedWithNothing(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        try storage.create(.segment, text: "one")
        try storage.makeDirectory(Layout.quarantine)
        let absent = StoragePath(Layout.quarantine, "absent")
        #expect(#expect(throws: StorageError.self) { try storage.swap(Layout.ledger, with: absent) }?.isNotFound == true)
        #expect(#expect(throws: StorageError.self) { try storage.swap(absent, with: Layout.ledger) }?.isNotFound == true)
        #expect(try storage.text(of: .segment) == "one")
        #expect(try storage.names(in: Layout.quarantine) == [])
    }

    @Test("A path of three names is made, read, renamed, removed and synchronised", arguments: StorageKind.allCases)
    func nested(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let folder = StoragePath(Layout.quarantine, "ledger-1")
        let (file, other) = (StoragePath(folder, "a"), StoragePath(folder, "b"))
        #expect(file.description == "quarantine/ledger-1/a" && file.parent == folder && folder.parent == Layout.quarantine)
        #expect(throws: StorageError.self) { try storage.create(file, text: "x") }
        try storage.makeDirectory(Layout.quarantine)
        #expect(try storage.status(of: folder) == nil)
        try storage.makeDirectory(folder)
        try storage.create(file, text: "x")
        try storage.replace(file, text: "y")
        try storage.move(file, to: other)
        try storage.synchronize(directory: folder)
        #expect(try storage.text(of: other) == "y" && storage.status(of: file) == nil)
        #expect(try storage.names(in: folder) == ["b"])
        try storage.remove(other)
        #expect(try storage.names(in: folder) == [])
    }
}
