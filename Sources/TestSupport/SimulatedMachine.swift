package import DurableFiles
package import Ledger
package import LedgerFormat

/// A machine in memory with a ledger on its disk, and the processes that come and go on it.
package struct SimulatedMachine: Sendable {
    package let disk: MemoryDisk
    package let environment: Environment
    package var settings: WriterSettings

    /// A fresh ledger with `count` entries behind its genesis, all of them vouched for by HEAD.
    ///
    /// - Parameter founders: whose signatures the house asks for, and how many of them; nil for nobody's.
    package init(
        seed: UInt64 = 1, count: Int = 0, settings: WriterSettings = WriterSettings(),
        founders: (keys: [ActorKey], threshold: Int)? = nil
    ) throws {
        disk = MemoryDisk()
        environment = TestLedger.environment(seed: seed)
        self.settings = settings
        try Initialization.run(MemoryStorage(constructing: disk), environment, founders: founders)
        if count > 0 { try append(1...count) }
    }

    /// The same machine with another disk, and perhaps other clocks.
    package init(_ machine: SimulatedMachine, _ disk: MemoryDisk, _ environment: Environment? = nil) {
        self.disk = disk
        self.environment = environment ?? machine.environment
        settings = machine.settings
    }

    package func copy() -> SimulatedMachine { SimulatedMachine(self, disk.copy()) }

    package func storage() throws -> MemoryStorage { try MemoryStorage(disk) }

    package func faulty(_ plan: FaultPlan = .none) throws -> FaultInjectingStorage {
        try FaultInjectingStorage(storage(), plan)
    }

    package func session(_ storage: (any Storage)? = nil) throws -> WriterSession {
        try WriterSession(storage ?? self.storage(), environment, settings)
    }

    /// Appends drafts with these numbers, one commit each, in a process of its own.
    @discardableResult
    package func append(_ numbers: ClosedRange<Int>, size: Int = 20) throws -> [Receipt] {
        try write { session in try numbers.map { try session.record(TestLedger.draft($0, size: size)) } }
    }

    /// Runs a writer to its end.
    @discardableResult
    package func write<Result>(_ body: (inout WriterSession) throws -> Result) throws -> Result {
        var session = try session()
        try session.acquire()
        defer { session.release() }
        return try body(&session)
    }

    /// Runs a writer that is killed, so that HEAD stays where it was.
    @discardableResult
    package func writeAndDie<Result>(_ body: (inout WriterSession) throws -> Result) throws -> Result {
        let storage = try storage()
        var session = try session(storage)
        try session.acquire()
        defer { storage.releaseLocks() }
        return try body(&session)
    }

    /// Appends drafts that HEAD does not vouch for.
    @discardableResult
    package func appendUnvouched(_ numbers: ClosedRange<Int>, size: Int = 20) throws -> [Receipt] {
        try writeAndDie { session in try numbers.map { try session.record(TestLedger.draft($0, size: size)) } }
    }

    /// Opens as a writer does; what it said if it refused.
    package func openingError() throws -> LedgerError? {
        var session = try session()
        do throws(LedgerError) {
            try session.acquire()
            session.release()
            return nil
        } catch {
            precondition(!session.isHolding, "a session that was refused holds nothing")
            return error
        }
    }

    /// Opens and closes; what the user is told.
    package func open() throws -> [String] {
        var session = try session()
        try session.acquire()
        session.release()
        return session.takeNotices()
    }

    package func audit(_ change: (inout Audit) -> Void = { _ in }, keyring: Keyring? = nil) async throws -> AuditReport {
        var audit = Audit(environment)
        change(&audit)
        return try await audit.run(storage(), keyring: keyring)
    }

    package func entries() throws -> [Entry] {
        var entries: [Entry] = []
        let view = try LedgerView(storage())
        try EntryReader(view, environment).read(from: view.firstSeq) { frame, bytes in
            entries.append(Entry(frame, of: bytes))
            return true
        }
        return entries
    }

    package func count(_ action: String) throws -> Int { try entries().count { $0.action == action } }
}

// What lies on the disk
extension SimulatedMachine {
    package var files: [StoragePath: [UInt8]] {
        var files: [StoragePath: [UInt8]] = [:]
        for path in disk.files() { files[path] = disk.bytes(of: path) }
        return files
    }

    package func segment(_ firstSeq: UInt64 = 1) -> [UInt8] { disk.bytes(of: SegmentReader.path(ofSegment: firstSeq)) ?? [] }

    package func setSegment(_ firstSeq: UInt64 = 1, _ bytes: [UInt8]) {
        disk.setBytes(of: SegmentReader.path(ofSegment: firstSeq), to: bytes)
    }

    /// Where data ends in a segment: behind its last byte that is no NUL.
    package func dataEnd(_ firstSeq: UInt64 = 1) -> Int { (segment(firstSeq).lastIndex { $0 != 0 } ?? -1) + 1 }

    package var segments: [UInt64] {
        disk.files().filter { $0.parent == Layout.ledger }.compactMap { SegmentName.firstSeq(file: $0.name) }
    }

    package var headBytes: [UInt8] { disk.bytes(of: Layout.head) ?? [] }

    package func head() throws -> Head { try Head(file: headBytes, keys: [key().id: key()]) }

    package func key() throws -> SealingKey {
        let path = try present(disk.files().first { $0.directory == "keys" })
        return try present(SealingKey(file: disk.bytes(of: path) ?? []))
    }

    /// All keys whose files are there.
    package func keys() -> [KeyID: SealingKey] {
        let keys = files.filter { $0.key.directory == "keys" }.compactMap { SealingKey(file: $0.value) }
        return Dictionary(keys.map { ($0.id, $0) }) { first, _ in first }
    }

    /// The kept pieces of evidence, by name.
    package var evidence: [String: [UInt8]] {
        var evidence: [String: [UInt8]] = [:]
        for (path, bytes) in files where path.directory == "quarantine" && path != Layout.alertCause {
            evidence[path.name] = bytes
        }
        return evidence
    }

    /// The tip that HEAD names, as what the next entry must agree with.
    package func tip() throws -> ChainTip {
        var verifier = ChainVerifier(keys: [:])
        var reader = try SegmentReader(storage())
        _ = try reader.scan(&verifier)
        return try present(verifier.tip)
    }

    /// The place of an entry.
    package func place(_ seq: UInt64) throws -> Place {
        var verifier = ChainVerifier(keys: [:])
        var reader = try SegmentReader(storage())
        var ends: [UInt64: Place] = [:]
        for segment in reader.segments where segment == seq { return Place(segment: segment, offset: 0, seq: seq) }
        var segment = reader.segments.last { $0 <= seq } ?? 1
        _ = try reader.scan(
            &verifier,
            visit: { frame, _ in
                ends[frame.seq] = Place(segment: 0, offset: frame.frame.count, seq: frame.seq)
                return true
            })
        var offset = 0
        segment = reader.segments.last { $0 <= seq } ?? 1
        for other in segment..<seq { offset += ends[other]?.offset ?? 0 }
        return Place(segment: segment, offset: offset, seq: seq)
    }
}

extension WriterSession {
    /// Records one draft.
    @discardableResult
    package mutating func record(_ draft: Draft) throws(LedgerError) -> Receipt {
        try commit([[draft]])[0].get().receipts[0]
    }

    /// Records one decision.
    @discardableResult
    package mutating func decide(_ drafts: [Draft]) throws(LedgerError) -> Answer { try commit([drafts])[0].get() }
}

extension MemoryDisk {
    /// A disk that a power cut leaves of this one.
    package func crashImages(_ seeds: Range<UInt64>) -> [MemoryDisk] { seeds.map { crashImage(seed: $0) } + [durableImage()] }
}

/// The error that a body throws.
package func ledgerError(_ body: () throws(LedgerError) -> Void) -> LedgerError? {
    do throws(LedgerError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// Something that a test's ledger should have is not there.
private struct Absence: Error {}

private func present<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Absence() }
    return value
}

extension [StoragePath: [UInt8]] {
    /// All that raising the alert leaves alone.
    package var besidesAlert: Self { filter { $0.key != Layout.head && $0.key != Layout.alertCause } }
}
