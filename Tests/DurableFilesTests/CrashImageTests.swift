import DurableFiles
import SystemPackage
import Testing

@Suite("What a power cut leaves")
struct CrashImageTests {
    private static let file = StoragePath("file")

    @Test("A flipped bit is what is read and what is durable, until it is flipped again")
    func flip() throws {
        let disk = MemoryDisk.withEmptyBase()
        try MemoryStorage(disk).create(Self.file, text: "abc")
        for text in ["aac", "abc"] {
            disk.flip(0b11, at: 1, of: Self.file)
            #expect(disk.bytes(of: Self.file) == Array(text.utf8))
            #expect(disk.durableImage().bytes(of: Self.file) == Array(text.utf8))
        }
    }

    @Test(
        "Synchronised bytes survive, others are old, new or NULs", arguments: [0, 10_000] as [UInt64], [false, true])
    func bytes(firstSeed: UInt64, misdirects: Bool) throws {
        var tally = CrashTally()
        for seed in firstSeed..<firstSeed + 700 {
            let workload = try Workload(seed: seed, path: Self.file)
            let image = workload.disk.crashImage(seed: seed, options: CrashOptions(misdirects: misdirects))
            tally += image.crashTally
            let left = try #require(image.bytes(of: Self.file))
            if let violation = workload.violation(in: left, misdirects: misdirects) {
                Issue.record("seed \(seed): \(violation)")
            }
            let durable = try #require(workload.disk.durableImage().bytes(of: Self.file))
            #expect(durable == workload.durable, "seed \(seed)")
        }
        #expect(tally.writesApplied > 0)
        #expect(tally.writesTorn > 0)
        #expect(tally.writesDropped > 0)
        #expect(tally.truncatesKept > 0)
        #expect(tally.truncatesLost > 0)
        #expect((tally.sectorsMisdirected > 0) == misdirects)
    }

    @Test("The same seed leaves the same disk, and another seed another one")
    func deterministic() throws {
        let workload = try Workload(seed: 3, path: Self.file)
        let image = workload.disk.crashImage(seed: 5)
        #expect(image.bytes(of: Self.file) == workload.disk.crashImage(seed: 5).bytes(of: Self.file))
        #expect(image.crashTally == workload.disk.crashImage(seed: 5).crashTally)
        let images = Set((0..<100).map { workload.disk.crashImage(seed: $0).bytes(of: Self.file) })
        #expect(images.count > 1)
    }

    @Test("A sector is never torn, whichever of several writes to it survives", arguments: [0] as [UInt64])
    func sectors(firstSeed: UInt64) throws {
        var versions: Set<[UInt8]> = []
        for seed in firstSeed..<firstSeed + 500 {
            let disk = MemoryDisk.withEmptyBase()
            let storage = try MemoryStorage(disk)
            try storage.create(Self.file, text: "0")
            try storage.synchronize(directory: nil)
            let file = try storage.open(Self.file, .readWrite)
            for text in ["1", "2", "3"] { try file.write(text: text, at: Int(text) ?? 0) }
            versions.insert(try #require(disk.crashImage(seed: seed).bytes(of: Self.file)))
        }
        // NULs stand for a length that got to the disk alone.
        let texts = ["0", "01", "012", "0123", "0\0", "0\0\0", "0\0\0\0", "01\0", "01\0\0", "012\0"]
        #expect(versions.isSubset(of: Set(texts.map { Array($0.utf8) })))
        #expect(versions.isSuperset(of: Set(texts[..<4].map { Array($0.utf8) })))
    }

    @Test("A last sector goes whole: where a cut was lost, no old bytes follow the new ones in it")
    func lastSector() throws {
        var seen = 0
        for seed in 0..<200 as Range<UInt64> {
            let disk = MemoryDisk.withEmptyBase()
            let storage = try MemoryStorage(disk)
            try storage.create(Self.file, text: String(repeating: "a", count: 1500))
            let file = try storage.open(Self.file, .readWrite)
            try file.truncate(to: 600)
            try file.write(text: String(repeating: "b", count: 50), at: 600)
            let left = try #require(disk.crashImage(seed: seed).bytes(of: Self.file))
            guard left.count == 1500, left[600] == UInt8(ascii: "b") else { continue }
            seen += 1
            #expect(left[650..<1024].allSatisfy { $0 == 0 } && left[1024...].allSatisfy { $0 == UInt8(ascii: "a") })
        }
        #expect(seen > 10)
    }

    @Test("A block beyond the synchronised end leaves NULs that end at a sector or with the file")
    func holes() throws {
        var holes = 0
        for seed in 0..<400 as Range<UInt64> {
            let disk = MemoryDisk.withEmptyBase()
            let storage = try MemoryStorage(disk)
            try storage.create(Self.file, text: String(repeating: "a", count: 700))
            let file = try storage.open(Self.file, .readWrite)
            for block in 0..<3 { try file.write(text: String(repeating: "b", count: 900), at: 700 + 900 * block) }
            let left = try #require(disk.crashImage(seed: seed).bytes(of: Self.file))
            for index in left.indices where left[index] == 0 && (index + 1 == left.count || left[index + 1] != 0) {
                holes += 1
                #expect((index + 1) % 512 == 0 || index + 1 == left.count, "seed \(seed), offset \(index)")
            }
            #expect(left.prefix(700).allSatisfy { $0 == UInt8(ascii: "a") }, "seed \(seed)")
        }
        #expect(holes > 0)
    }

    @Test("Names survive up to some point of their directory's history")
    func names() throws {
        var found: Set<[String]> = []
        var tally = CrashTally()
        for seed in 0..<500 as Range<UInt64> {
            let disk = MemoryDisk.withEmptyBase()
            let storage = try MemoryStorage(disk)
            try storage.makeDirectory(Layout.ledger)
            try storage.synchronize(directory: nil)
            try storage.create(StoragePath("ledger", "kept"), text: "kept")
            _ = try storage.open(StoragePath("ledger", "a"), .create)
            try storage.rename(StoragePath("ledger", "a"), to: StoragePath("ledger", "b"))
            try storage.remove(StoragePath("ledger", "kept"))
            let image = disk.crashImage(seed: seed)
            tally += image.crashTally
            found.insert(try MemoryStorage(image).sortedNames(in: Layout.ledger))
        }
        #expect(found == [["kept"], ["a", "kept"], ["b", "kept"], ["b"]])
        #expect(tally.namesKept > 0)
        #expect(tally.namesDropped > 0)
    }

    @Test("A file whose name is not durable is gone, though its contents were synchronised")
    func unnamed() throws {
        let disk = MemoryDisk.withEmptyBase()
        let storage = try MemoryStorage(disk)
        let file = try storage.open(Self.file, .create)
        try file.append(text: "synchronised", at: 0)
        #expect(disk.durableImage().bytes(of: Self.file) == nil)
        try storage.synchronize(directory: nil)
        #expect(disk.durableImage().bytes(of: Self.file) == Array("synchronised".utf8))
    }

    @Test("A directory whose name is not durable takes its files along")
    func directory() throws {
        let disk = MemoryDisk.withEmptyBase()
        let storage = try MemoryStorage(disk)
        try storage.makeDirectory(Layout.ledger)
        try storage.create(.segment, text: "synchronised")
        #expect(disk.durableImage().files() == [])
        try storage.synchronize(directory: nil)
        #expect(disk.durableImage().files() == [.segment])
    }

    @Test("An image keeps identities, gives new files new ones, and counts names anew")
    func identities() throws {
        let disk = MemoryDisk.withEmptyBase()
        let storage = try MemoryStorage(disk)
        try storage.create(Self.file, text: "x")
        disk.link(Self.file, as: StoragePath("second"))
        let before = try #require(try storage.status(of: Self.file))
        #expect(try storage.tryLock(.writer))
        let image = disk.crashImage(seed: 1)
        let after = try MemoryStorage(image)
        #expect(try after.status(of: Self.file) == before)
        #expect(before.linkCount == 2)
        #expect(try after.tryLock(.writer), "nobody uses a disk after a crash")
        try after.create(Layout.head, text: "new")
        var seen: Set<FileIdentity> = [before.identity]
        for _ in 0..<20 {
            try after.replace(Layout.head, text: "new")
            #expect(seen.insert(try #require(try after.status(of: Layout.head)).identity).inserted)
        }
    }

    @Test("After a failed synchronisation the cache lies, until the bytes are written again")
    func lyingCache() throws {
        let disk = MemoryDisk.withEmptyBase()
        let storage = FaultInjectingStorage(try MemoryStorage(disk))
        try storage.create(Self.file, text: "old")
        let file = try storage.open(Self.file, .readWrite)
        try file.write(text: "new", at: 3)
        storage.setPlan(.rule { _, operation in operation.kind == .synchronize ? .failSynchronize : nil })
        let error = #expect(throws: StorageError.self) { try file.synchronize() }
        #expect(error?.kind == .system(.ioError))
        storage.setPlan(.none)
        #expect(try file.text() == "oldnew", "it is still read back")
        try file.synchronize()
        try file.append(text: "far", at: 600)
        #expect(
            disk.durableImage().bytes(of: Self.file)?.prefix(6) == Array("old\0\0\0".utf8)[...],
            "and a synchronisation that succeeds does not bring it to the disk")
        for seed in 0..<100 as Range<UInt64> {
            #expect(disk.crashImage(seed: seed).bytes(of: Self.file)?[3] == 0, "seed \(seed)")
        }
        try file.append(text: "new", at: 3)
        let kept = try #require(disk.durableImage().bytes(of: Self.file))
        #expect(kept.prefix(6) == Array("oldnew".utf8)[...])
        #expect(kept.suffix(3) == Array("far".utf8)[...])
    }

    @Test("What a failed synchronisation lost is no longer read when the pages are evicted")
    func evicted() throws {
        let disk = MemoryDisk.withEmptyBase()
        let storage = FaultInjectingStorage(try MemoryStorage(disk))
        try storage.create(Self.file, text: "old")
        let file = try storage.open(Self.file, .readWrite)
        storage.setPlan(.rule { _, operation in operation.kind == .synchronize ? .failSynchronize : nil })
        #expect(throws: AppendFailure.self) { try file.append(text: "new", at: 3) }
        #expect(try file.text() == "oldnew")
        disk.evictLostPages()
        #expect(try file.text() == "old")
    }

    @Test("A copied disk goes its own way")
    func copied() throws {
        let disk = MemoryDisk.withEmptyBase()
        let storage = try MemoryStorage(disk)
        #expect(try storage.tryLock(.writer))
        try storage.create(Self.file, text: "both")
        let copy = disk.copy()
        try storage.replace(Self.file, text: "one")
        #expect(copy.bytes(of: Self.file) == Array("both".utf8))
        #expect(try MemoryStorage(copy).tryLock(.writer))
        #expect(copy.durableImage().bytes(of: Self.file) == Array("both".utf8))
    }
}

/// Random writes, cuts and synchronisations of a file, and what may be left of each byte.
private struct Workload {
    let disk = MemoryDisk.withEmptyBase()
    /// The contents at the last synchronisation.
    private(set) var durable: [UInt8] = []
    private var current: [UInt8] = []
    /// What each byte was since the last synchronisation, by offset.
    private var history: [Int: Set<UInt8>] = [:]
    private var shortest = 0
    private var longest = 0

    init(seed: UInt64, path: StoragePath) throws {
        var generator = SeededGenerator(seed: seed)
        let storage = try MemoryStorage(disk)
        let file = try storage.open(path, .create)
        try storage.synchronize(directory: nil)
        for step in 1...Int.random(in: 1...12, using: &generator) {
            switch Int.random(in: 0..<8, using: &generator) {
            case 0...4:
                let count = Int.random(in: 1...1500, using: &generator)
                let offset = Int.random(in: 0...current.count + 100, using: &generator)
                try file.write(
                    text: String(repeating: Character(UnicodeScalar(UInt8(step + 64))), count: count), at: offset)
                note { bytes in
                    bytes += [UInt8](repeating: 0, count: max(0, offset + count - bytes.count))
                    for index in offset..<offset + count { bytes[index] = UInt8(step + 64) }
                }
            case 5:
                let size = Int.random(in: 0...current.count + 600, using: &generator)
                try file.truncate(to: size)
                note { bytes in
                    bytes += [UInt8](repeating: 0, count: max(0, size - bytes.count))
                    bytes.removeLast(bytes.count - size)
                }
            default:
                try file.synchronize()
                (durable, history) = (current, [:])
                (shortest, longest) = (current.count, current.count)
            }
        }
    }

    private mutating func note(_ change: (inout [UInt8]) -> Void) {
        let before = current
        change(&current)
        for index in 0..<max(before.count, current.count) {
            let (old, new) = (index < before.count ? before[index] : nil, index < current.count ? current[index] : nil)
            if old != new { history[index, default: [0]].insert(new ?? 0) }
        }
        shortest = min(shortest, current.count)
        longest = max(longest, current.count)
    }

    /// Nil if the bytes can be left.
    func violation(in left: [UInt8], misdirects: Bool) -> String? {
        if left.count < shortest { return "\(left.count) bytes are left, and it never was shorter than \(shortest)" }
        if left.count > longest { return "\(left.count) bytes are left, and it never was longer than \(longest)" }
        for (index, byte) in left.enumerated() {
            let synchronized: UInt8 = index < durable.count ? durable[index] : 0
            if byte == synchronized { continue }
            guard let written = history[index] else { return "byte \(index) was not written, and it is \(byte)" }
            // Misplaced bytes may be any that the file ever had.
            if !misdirects, !written.contains(byte) { return "byte \(index) never was \(byte)" }
        }
        return nil
    }
}
