import DurableFiles
import Testing

@Suite("When a durable operation returns, no power cut takes it back")
struct DurabilityTests {
    private let disk = MemoryDisk.withEmptyBase()
    private let storage: MemoryStorage
    private let file = StoragePath("ledger", "file")
    private let target = StoragePath("ledger", "target")

    init() throws {
        storage = try MemoryStorage(disk)
        try storage.makeDirectory(Layout.ledger)
        try storage.synchronize(directory: nil)
    }

    /// What stands at a path on the disk that loses all it can lose, and on others.
    private func expect(_ text: String?, at path: StoragePath, _ source: SourceLocation = #_sourceLocation) {
        for disk in [disk.durableImage()] + (0..<20).map({ disk.crashImage(seed: $0) }) {
            #expect(disk.bytes(of: path) == text.map { Array($0.utf8) }, sourceLocation: source)
        }
    }

    @Test("creating: the file is there, with its contents")
    func create() throws {
        try storage.create(file, Array("new".utf8).span)
        expect("new", at: file)
    }

    @Test("replacing: the new contents are there")
    func replace() throws {
        try storage.create(file, Array("old".utf8).span)
        try storage.replace(file, Array("newer".utf8).span)
        expect("newer", at: file)
    }

    @Test("moving: it is there under the new name alone")
    func move() throws {
        try storage.create(file, Array("it".utf8).span)
        try storage.move(file, to: target)
        expect("it", at: target)
        expect(nil, at: file)
    }

    @Test("keeping: the evidence is there, also where an earlier attempt wrote it and synchronised nothing")
    func keep() throws {
        try storage.keep(file, Array("evidence".utf8).span)
        expect("evidence", at: file)
        try storage.open(target, .create).write(Array("evidence".utf8).span, at: 0)
        try storage.keep(target, Array("evidence".utf8).span)
        expect("evidence", at: target)
    }

    @Test("installing: the copy is there, whole, also in the place of another file")
    func install() throws {
        try storage.create(target, Array("old".utf8).span)
        try storage.open(file, .create).write(Array("a copy".utf8).span, at: 0)
        let source = try storage.open(file, .read)
        try storage.install(target, byteCount: 6, from: source)
        expect("a copy", at: target)
    }

    @Test("appending and cutting: the bytes are there, or gone")
    func appendAndCut() throws {
        try storage.create(file, Array("one".utf8).span)
        let opened = try storage.open(file, .readWrite)
        try opened.append(Array("two".utf8).span, at: 3)
        expect("onetwo", at: file)
        try opened.cut(to: 2)
        expect("on", at: file)
    }

    @Test("letting directories change places: each stands in the other's, with its files")
    func swap() throws {
        let beside = StoragePath(Layout.quarantine, "beside")
        try storage.makeDirectory(Layout.quarantine)
        try storage.makeDirectory(beside)
        try storage.create(file, Array("old".utf8).span)
        try storage.create(StoragePath(beside, "file"), Array("new".utf8).span)
        try storage.synchronize(directory: Layout.quarantine)
        try storage.synchronize(directory: nil)
        try storage.swap(Layout.ledger, with: beside)
        expect("new", at: file)
        expect("old", at: StoragePath(beside, "file"))
    }
}
