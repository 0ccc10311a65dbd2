import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// A directory that archives are copied to.
private func target() throws -> MemoryStorage {
    let disk = MemoryDisk()
    let storage = try MemoryStorage(constructing: disk)
    try storage.makeDirectory(Layout.ledger)
    try storage.publish()
    return try MemoryStorage(disk)
}

private func archiveCopy(_ segments: [UInt64], of machine: SimulatedMachine) throws -> Archiver.Copied {
    try Archiver(machine.environment).copy(segments, of: LedgerView(machine.storage()), to: target())
}

extension SimulatedMachine {
    /// Takes segments out of the ledger.
    func archive(_ segments: some Sequence<UInt64>) throws {
        let copied = try archiveCopy(Array(segments), of: self)
        try write { session in
            _ = try session.archive(copied, to: PathText(Array("/archive".utf8)), reason: "test", [:], [])
        }
    }
}

@Suite("An archive, piece by piece")
struct ArchivePiecesTests {
    private static let name = PathText(Array("/archive".utf8))

    @Test("what is copied says of each key where it came and where it was retired")
    func keys() throws {
        let machine = try SimulatedMachine.segmented(count: 10, segmentByteCount: 4000)
        let old = try machine.rotateKey().old
        let seq = try machine.write { session in try session.retireKey(old, reason: "test", destroying: false)?.seq }
        try machine.append(11...40)
        let copied = try archiveCopy(Array(machine.segments.sorted().dropLast()), of: machine)
        let key = try #require(copied.statement.keys.first { $0.key == old })
        #expect(key.introduced == 1 && key.retired == seq)
    }

    @Test("segments in front of which one is left out are no archive")
    func hole() throws {
        let machine = try SimulatedMachine.segmented(count: 40, segmentByteCount: 4000)
        let segments = machine.segments.sorted()
        try #require(segments.count > 3)
        let error = #expect(throws: LedgerError.self) { try archiveCopy(Array(segments[1...2]), of: machine) }
        #expect(error?.code == .tampered, "\(String(describing: error))")
    }

    @Test("what somebody else archived since it was copied is not archived again")
    func overtaken() throws {
        let machine = try SimulatedMachine.segmented(count: 40, segmentByteCount: 4000)
        let copied = try archiveCopy([1], of: machine)
        try machine.write { session in
            _ = try session.archive(copied, to: Self.name, reason: "test", [:], [])
            let error = ledgerError { () throws(LedgerError) in
                _ = try session.archive(copied, to: Self.name, reason: "test", [:], [])
            }
            #expect(error?.code == .inputOutput, "\(String(describing: error))")
            #expect(error?.message.contains("repaired or archived meanwhile") == true)
        }
        #expect(try machine.count("ledger.archived") == 1)
    }

    @Test("what an actor signed before the first entry that is left may have been recorded there, and is not taken")
    func forgotten() async throws {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 4000).signing(TestActors.ada)
        try machine.enroll("process:test", TestActors.ada)
        func signed() throws -> Draft {
            let tip = try machine.tip()
            return TestLedger.draft(99).signed(by: TestActors.ada, in: tip.ledger, base: tip.seq, id: "late")
        }
        let early = try signed()
        try machine.append(3...40)
        try machine.archive(machine.segments.sorted().dropLast())
        #expect(try #require(machine.segments.min()) > #require(early.base) + 1)
        let error = try machine.write { session in
            ledgerError { () throws(LedgerError) in _ = try session.decide([early]) }
        }
        #expect(error?.code == .refused, "\(String(describing: error))")
        #expect(error?.message.contains("it may have been recorded there") == true)
        let late = try signed()
        try machine.write { session in _ = try session.decide([late]) }
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("an archive that holds nothing proves nothing of the beginning")
    func empty() throws {
        let machine = try SimulatedMachine.segmented(count: 40, segmentByteCount: 4000)
        machine.disk.delete(SegmentReader.path(ofSegment: 1))
        let view = try LedgerView(machine.storage())
        let archive: any Storage = try target()
        let error = ledgerError { () throws(LedgerError) in
            _ = try ArchiveRecovery(of: view, from: [(storage: archive, name: Self.name)], machine.environment)
        }
        #expect(error?.code == .refused, "\(String(describing: error))")
        #expect(error?.message.contains("they hold nothing of what lies before seq") == true)
    }

    @Test("in front of a ledger an archive shows the ledger's own place, owner and lock")
    func overlay() throws {
        let machine = try SimulatedMachine(count: 2)
        let storage = try machine.storage()
        let overlay = try ArchiveOverlay(storage, [])
        #expect(overlay.basePath == storage.basePath && overlay.owner == storage.owner && overlay.user == storage.user)
        #expect(overlay.holder(of: .writer) == nil)
        #expect(try storage.tryLock(.writer))
        #expect(overlay.holder(of: .writer)?.process == storage.process)
        try overlay.checkBase()
        machine.disk.replaceBase()
        #expect(throws: StorageError.self) { try overlay.checkBase() }
    }

    @Test("of a ledger that begins with its first entry nothing explains why one before it is not there")
    func unexplained() throws {
        let machine = try SimulatedMachine(count: 2)
        let error = try EntryReader(LedgerView(machine.storage()), machine.environment).absence(of: 1)
        #expect(error.code == .tampered && error.place?.seq == 1, "\(error)")
    }

    @Test("a ledger without a segment has nothing to archive: it is damaged")
    func noSegment() throws {
        let machine = try SimulatedMachine(count: 2)
        machine.disk.delete(SegmentReader.path(ofSegment: 1))
        let view = try LedgerView(machine.storage())
        let error = ledgerError { () throws(LedgerError) in _ = try ArchivePlan(view, .seq(2), machine.environment) }
        #expect(error?.code == .tampered, "\(String(describing: error))")
    }
}
