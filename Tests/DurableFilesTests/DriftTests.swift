import DurableFiles
import Testing

@Suite("Drift is noticed")
struct DriftTests {
    @Test(
        "A base that was renamed has drifted, with and without a successor", arguments: StorageKind.allCases,
        [true, false])
    func base(_ kind: StorageKind, replacing: Bool) throws {
        let bench = try Bench(kind)
        try bench.storage.checkBase()
        try bench.moveBaseAway(replacing: replacing)
        let drift = StorageError(.drift, "check", bench.storage.basePath)
        #expect(throws: drift) { try bench.storage.checkBase() }
        #expect(drift.description.contains("is no longer the file that was opened"))
    }

    @Test("An untouched file keeps its oath, also while it grows", arguments: StorageKind.allCases)
    func untouched(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let file = try storage.open(.segment, .create)
        let oath = try Oath(file)
        try oath.check(in: storage)
        try file.append(text: "more", at: 0)
        try oath.check(in: storage)
    }

    @Test("A renamed file has drifted", arguments: StorageKind.allCases)
    func renamed(_ kind: StorageKind) throws {
        try expectDrift(kind) { bench in try bench.move(.segment, to: StoragePath("ledger", "elsewhere")) }
    }

    @Test("A file in whose place another was moved has drifted", arguments: StorageKind.allCases)
    func replaced(_ kind: StorageKind) throws {
        try expectDrift(kind) { bench in
            try bench.put("twin", at: StoragePath("ledger", "twin"))
            try bench.move(StoragePath("ledger", "twin"), to: .segment)
        }
    }

    @Test("A deleted file has drifted", arguments: StorageKind.allCases)
    func deleted(_ kind: StorageKind) throws { try expectDrift(kind) { bench in try bench.delete(.segment) } }

    @Test("A file deleted and written anew has drifted", arguments: StorageKind.allCases)
    func recreated(_ kind: StorageKind) throws {
        try expectDrift(kind) { bench in try bench.put("twin", at: .segment) }
    }

    @Test("A file with its directory renamed has drifted", arguments: StorageKind.allCases)
    func directoryRenamed(_ kind: StorageKind) throws {
        try expectDrift(kind) { bench in try bench.move(Layout.ledger, to: StoragePath("elsewhere")) }
    }

    @Test("A file in whose directory's place another was moved has drifted", arguments: StorageKind.allCases)
    func directoryReplaced(_ kind: StorageKind) throws {
        try expectDrift(kind) { bench in
            try bench.move(Layout.ledger, to: StoragePath("elsewhere"))
            try bench.storage.makeDirectory(Layout.ledger)
            try bench.put("twin", at: .segment)
        }
    }

    @Test("A second name breaks the oath", arguments: StorageKind.allCases)
    func hardLinked(_ kind: StorageKind) throws {
        let bench = try Bench(kind)
        let storage = bench.storage
        let file = try storage.open(.segment, .create)
        let oath = try Oath(file)
        let second = StoragePath("ledger", "second")
        try bench.hardLink(.segment, as: second)
        let shown = "\(storage.basePath)/\(StoragePath.segment)"
        #expect(throws: StorageError(.refused(.hardLinked(count: 2)), "check", shown)) { try oath.check(in: storage) }
        #expect(throws: StorageError(.refused(.hardLinked(count: 2)), "open", shown)) {
            try storage.open(.segment, .read)
        }
        try bench.delete(second)
        try oath.check(in: storage)
    }

    private func expectDrift(_ kind: StorageKind, _ tamper: (Bench) throws -> Void) throws {
        let bench = try Bench(kind)
        try bench.storage.create(.segment, text: "twin")
        let file = try bench.storage.open(.segment, .readWrite)
        let oath = try Oath(file)
        try oath.check(in: bench.storage)
        try tamper(bench)
        let drift = StorageError(.drift, "check", "\(bench.storage.basePath)/\(StoragePath.segment)")
        #expect(throws: drift) { try oath.check(in: bench.storage) }
    }
}
