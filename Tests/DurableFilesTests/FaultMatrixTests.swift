import DurableFiles
import SystemPackage
import Testing

/// Every durable operation, with every fault at every one of its operations, and then the power cut.
@Suite("Durable operations survive every fault at every operation")
struct FaultMatrixTests {
    private static let seedsPerPoint: UInt64 = 20
    private static let old = [UInt8](repeating: UInt8(ascii: "a"), count: 1300)
    private static let new = [UInt8](repeating: UInt8(ascii: "b"), count: 1700)
    private static let evidence = StoragePath("quarantine", "evidence")

    static let faults: [Fault] = [
        .fail(.ioError), .fail(.noSpace), .fail(.permissionDenied), .shortWrite(bytes: 0, .noSpace),
        .shortWrite(bytes: 513, .noSpace), .failSynchronize, .crash(.nothing), .crash(.bytes(1)), .crash(.bytes(1000)),
        .crash(.everything),
    ]

    /// What came of one run.
    struct Outcome {
        var isAcknowledged: Bool
        var isCrashed: Bool
        /// What is read before the power cut; nil for no file.
        var live: [UInt8]?
        /// What is read after it.
        var left: [UInt8]?
    }

    /// Runs an operation once for each fault at each operation number, and each of several power cuts after it.
    ///
    /// - Returns: the descriptions of the outcomes that `isLegal` refuses, and what was done to the disks.
    private func violations(
        on path: StoragePath, firstSeed: UInt64, faults: [Fault], from before: [UInt8]?,
        _ operation: (any Storage) throws -> Void, isLegal: (Outcome) -> Bool
    ) throws -> (found: [String], fired: Int, tally: CrashTally) {
        var (found, fired, tally): ([String], Int, CrashTally) = ([], 0, CrashTally())
        for fault in faults + [nil] {
            var number = 0
            while true {
                let disk = MemoryDisk.withEmptyBase()
                let plain = try MemoryStorage(disk)
                try plain.makeDirectory(Layout.quarantine)
                if let before { try plain.create(path, before.span) }
                try plain.synchronize(directory: nil)
                let storage = FaultInjectingStorage(plain, fault.map { .at([number: $0]) } ?? .none)
                var outcome = Outcome(isAcknowledged: false, isCrashed: false)
                do {
                    try operation(storage)
                    outcome.isAcknowledged = true
                } catch is StorageError {}
                outcome.isCrashed = storage.isCrashed
                outcome.live = disk.bytes(of: path)
                fired += storage.fired.count
                for seed in firstSeed..<firstSeed + Self.seedsPerPoint {
                    let image = disk.crashImage(seed: seed)
                    tally += image.crashTally
                    outcome.left = image.bytes(of: path)
                    if !isLegal(outcome) {
                        found.append("seed \(seed), operation \(number), \(fault.map { "\($0)" } ?? "no fault")")
                    }
                }
                number += 1
                if fault == nil || number > storage.trace.count { break }
            }
        }
        return (found, fired, tally)
    }

    private func expectNone(
        _ result: (found: [String], fired: Int, tally: CrashTally), _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(result.found.isEmpty, sourceLocation: location)
        #expect(result.fired > 0, "no fault fired", sourceLocation: location)
        #expect(result.tally.losses > 0, "no power cut lost anything", sourceLocation: location)
    }

    private static func isOldOrNew(_ outcome: Outcome) -> Bool {
        if outcome.isAcknowledged { return outcome.left == new && outcome.live == new }
        return (outcome.left == old || outcome.left == new) && (outcome.live == old || outcome.live == new)
    }

    @Test(
        "A replacement leaves the old contents or the new, and the new once acknowledged",
        arguments: [0, 1] as [UInt64])
    func replace(batch: UInt64) throws {
        for path in [Layout.head, Self.evidence] {
            let result = try violations(
                on: path, firstSeed: batch * 1000, faults: Self.faults, from: Self.old,
                { try $0.replace(path, Self.new.span) }, isLegal: Self.isOldOrNew)
            expectNone(result)
        }
    }

    @Test("A replacement of nothing leaves nothing or the whole")
    func replaceNothing() throws {
        let result = try violations(
            on: Layout.head, firstSeed: 0, faults: Self.faults, from: nil,
            { try $0.replace(Layout.head, Self.new.span) }
        ) { outcome in
            outcome.left == Self.new || (!outcome.isAcknowledged && outcome.left == nil)
        }
        expectNone(result)
    }

    @Test("A created file is whole once acknowledged; before, its bytes are new or NULs")
    func create() throws {
        let result = try violations(
            on: Self.evidence, firstSeed: 0, faults: Self.faults, from: nil,
            { try $0.create(Self.evidence, Self.new.span) }
        ) { outcome in
            if outcome.isAcknowledged { return outcome.left == Self.new }
            guard let left = outcome.left else { return true }
            return left.count <= Self.new.count && left.allSatisfy { $0 == 0 || $0 == UInt8(ascii: "b") }
        }
        expectNone(result)
    }

    @Test("Evidence is kept whole or not at all, and durable once acknowledged")
    func keep() throws {
        let result = try violations(
            on: Self.evidence, firstSeed: 0, faults: Self.faults, from: nil,
            { try $0.keep(Self.evidence, Self.new.span) }
        ) { outcome in
            outcome.left == Self.new || (!outcome.isAcknowledged && outcome.left == nil)
        }
        expectNone(result)
    }

    @Test("Evidence that an earlier attempt left undurable is durable once kept again")
    func keepAgain() throws {
        // The first attempt stops at some operation; the second starts from what its process saw, not from a crash.
        for number in 0..<10 {
            let result = try violations(
                on: Self.evidence, firstSeed: 0, faults: [.fail(.ioError), .failSynchronize, .crash(.nothing)],
                from: nil,
                { storage in
                    if let watched = storage as? FaultInjectingStorage {
                        let first = FaultInjectingStorage(watched.wrapped, .at([number: .crash(.everything)]))
                        do { try first.keep(Self.evidence, Self.new.span) } catch is StorageError {}
                    }
                    try storage.keep(Self.evidence, Self.new.span)
                }
            ) { outcome in
                outcome.left == Self.new || (!outcome.isAcknowledged && outcome.left == nil)
            }
            #expect(result.found.isEmpty, "first attempt stopped at operation \(number)")
        }
    }

    @Test("A moved file stands under one of its two names, and under the new one once acknowledged")
    func move() throws {
        let target = StoragePath("quarantine", "target")
        let result = try violations(
            on: target, firstSeed: 0, faults: Self.faults, from: Self.old,
            { storage in
                if try storage.status(of: Self.evidence) == nil {
                    try storage.create(Self.evidence, Self.new.span)
                }
                try storage.move(Self.evidence, to: target)
            }, isLegal: Self.isOldOrNew)
        expectNone(result)
    }

    @Test("A replacement after a failed one succeeds")
    func afterwards() throws {
        for fault in Self.faults {
            for number in 0..<10 {
                let disk = MemoryDisk.withEmptyBase()
                let plain = try MemoryStorage(disk)
                try plain.create(Layout.head, Self.old.span)
                try? FaultInjectingStorage(plain, .at([number: fault])).replace(Layout.head, Self.new.span)
                let next = try MemoryStorage(disk.crashImage(seed: UInt64(number)))
                try next.replace(Layout.head, Self.new.span)
                #expect(next.disk.durableImage().files() == [Layout.head], "\(fault) at operation \(number)")
                #expect(next.disk.durableImage().bytes(of: Layout.head) == Self.new, "\(fault) at operation \(number)")
            }
        }
    }

    @Test("An appended block is whole once acknowledged, and what was before it is never touched")
    func append() throws {
        let result = try violations(
            on: Layout.head, firstSeed: 0, faults: Self.faults, from: Self.old,
            { try $0.open(Layout.head, .readWrite).recorded(Self.new.span, at: Self.old.count) }
        ) { outcome in
            guard let left = outcome.left, left.starts(with: Self.old) else { return false }
            return !outcome.isAcknowledged || left == Self.old + Self.new
        }
        expectNone(result)
    }

    @Test("A cut leaves the old length or the new, and the new once acknowledged")
    func cut() throws {
        let short = Array(Self.old.prefix(600))
        let result = try violations(
            on: Layout.head, firstSeed: 0, faults: Self.faults, from: Self.old,
            { try $0.open(Layout.head, .readWrite).cut(to: short.count) }
        ) { outcome in
            outcome.left == short || (!outcome.isAcknowledged && outcome.left == Self.old)
        }
        expectNone(result)
    }

    @Test("Directories change places whole or not at all, and durably once acknowledged")
    func swap() throws {
        let beside = StoragePath(Layout.quarantine, "beside")
        let file = StoragePath(Layout.ledger, "file")
        for fault in Self.faults {
            for number in 0..<10 {
                let disk = MemoryDisk.withEmptyBase()
                let plain = try MemoryStorage(disk)
                for directory in [Layout.ledger, Layout.quarantine, beside] { try plain.makeDirectory(directory) }
                try plain.create(file, Self.old.span)
                try plain.create(StoragePath(beside, "file"), Self.new.span)
                try plain.synchronize(directory: Layout.quarantine)
                try plain.synchronize(directory: nil)
                let storage = FaultInjectingStorage(plain, .at([number: fault]))
                let isAcknowledged = (try? storage.swap(Layout.ledger, with: beside)) != nil
                for disk in [disk, disk.durableImage()] + (0..<20).map({ disk.crashImage(seed: $0) }) {
                    let pair = [disk.bytes(of: file), disk.bytes(of: StoragePath(beside, "file"))]
                    let note: Comment = "\(fault) at operation \(number)"
                    if isAcknowledged { #expect(pair == [Self.new, Self.old], note) }
                    #expect(pair == [Self.new, Self.old] || pair == [Self.old, Self.new], note)
                }
                if storage.fired.isEmpty { break }
            }
        }
    }

    // Canaries: replacements that are wrong in one place each. A check that lets one pass proves nothing.

    enum Mistake: String, CaseIterable, CustomTestStringConvertible {
        case noSynchronize = "the file is not synchronised before the rename"
        case noDirectory = "the directory is not synchronised"
        case inPlace = "the contents are overwritten in place"
        case removesFirst = "the old file is removed first"
        case ignoresFailure = "a failed synchronisation is repeated until it succeeds"

        var testDescription: String { rawValue }

        func replace(_ storage: any Storage, _ path: StoragePath, _ contents: [UInt8]) throws {
            if self == .inPlace { return try storage.open(path, .readWrite).recorded(contents.span, at: 0) }
            let aside = StoragePath("aside")
            let file = try storage.open(aside, .create)
            try file.write(contents.span, at: 0)
            if self == .ignoresFailure {
                do { try file.synchronize() } catch { try file.synchronize() }
            } else if self != .noSynchronize {
                try file.synchronize()
            }
            if self == .removesFirst { try storage.remove(path) }
            try storage.rename(aside, to: path)
            if self != .noDirectory { try storage.synchronize(directory: nil) }
        }
    }

    @Test("A replacement with a mistake is caught", arguments: Mistake.allCases)
    func canary(_ mistake: Mistake) throws {
        let result = try violations(
            on: Layout.head, firstSeed: 0, faults: Self.faults, from: Self.old,
            { try mistake.replace($0, Layout.head, Self.new) }, isLegal: Self.isOldOrNew)
        #expect(!result.found.isEmpty)
    }
}

extension StorageFile {
    /// An append whose failure is that of the step that failed.
    fileprivate func recorded(_ block: Span<UInt8>, at offset: Int) throws(StorageError) {
        do throws(AppendFailure) {
            try append(block, at: offset)
        } catch {
            switch error {
            case .write(let error), .synchronize(let error): throw error
            }
        }
    }
}
