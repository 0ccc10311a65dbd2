import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A ledger of small segments with state in it, and a disk for its archive.
struct House {
    let machine: SimulatedMachine
    let archive: MemoryDisk

    init(seed: UInt64 = 1, count: Int = 24) throws {
        var settings = WriterSettings()
        settings.segmentByteCount = 4000
        settings.preallocationByteCountMax = 0
        machine = try SimulatedMachine(seed: seed, settings: settings)
        var source = DocumentSource(random: SeededGenerator(seed: seed))
        var decider = try machine.decider()
        for number in 1...count {
            if number % 4 == 0 {
                _ = try machine.append(number...number)
            } else {
                let root = try machine.documents().state.root
                _ = try decider.patch(source.patch(of: root))
            }
        }
        archive = MemoryDisk()
        let storage = try MemoryStorage(constructing: archive)
        try storage.makeDirectory(Layout.ledger)
        try storage.publish()
    }

    init(_ machine: SimulatedMachine, _ archive: MemoryDisk) { (self.machine, self.archive) = (machine, archive) }

    func copy() -> House { House(machine.copy(), archive.copy()) }

    @discardableResult
    func archive(
        before seq: UInt64, _ storage: (any Storage)? = nil, to target: (any Storage)? = nil
    ) throws -> Decider.Archived {
        var decider = try machine.decider(storage)
        let target = try target ?? MemoryStorage(archive)
        return try decider.archive(
            .seq(seq), keeping: [Documents.self, Effects.self], to: target, named: PathText(Array("/archive".utf8)),
            reason: "test")
    }

    /// The ledger with its archive in front.
    func whole() throws -> ArchiveOverlay { try ArchiveOverlay(machine.storage(), [MemoryStorage(archive)]) }

    func audit(_ storage: any Storage) async throws -> AuditReport { try await Audit(machine.environment).run(storage) }

    func state(_ storage: any Storage, _ end: FoldEnd = .tip) throws -> Documents {
        let view = try LedgerView(storage)
        var fold = try FoundFold<Documents>(in: view, to: end, machine.environment).fold
        try fold.advance(in: view, to: end, machine.environment)
        return fold.state
    }

    /// The hashes of all entries, from the first on.
    func hashes() throws -> [UInt64: Digest] {
        var hashes: [UInt64: Digest] = [:]
        try EntryReader(LedgerView(whole()), machine.environment).read(from: 1) { frame, bytes in
            hashes[frame.seq] = frame.hash(in: bytes)
            return true
        }
        return hashes
    }
}

@Suite("Archives")
struct ArchiveTests {
    @Test(
        "the state is what it was, at every entry that is left, and everything verifies", arguments: 1...4 as ClosedRange<UInt64>)
    func folds(seed: UInt64) async throws {
        let house = try House(seed: seed)
        let before = try (1...25).map { try house.machine.documents(FoldEnd(seq: UInt64($0))).state }
        let kept = try house.hashes()
        let second = house.machine.segments.sorted()[2]
        let archived = try house.archive(before: second)
        #expect(archived.statement.segments.count == 2 && archived.statement.last == second - 1)
        #expect(house.machine.segments.min() == second)
        for (storage, first) in [(try house.machine.storage() as any Storage, second), (try house.whole(), 1)] {
            let report = try await house.audit(storage)
            #expect(report.verdict == .intact && report.firstSeq == first, "\(report.verdictLine)")
            for seq in first...25 {
                #expect(try house.state(storage, FoldEnd(seq: seq)) == before[Int(seq) - 1], "seed \(seed), seq \(seq)")
            }
            #expect(try house.state(storage) == before[24])
        }
        for (seq, hash) in kept { #expect(try house.hashes()[seq] == hash) }
        let check = try ArchiveCheck(house.machine.environment).run(LedgerView(house.whole()), [MemoryStorage(house.archive)])
        #expect(check.namedCount == 2 && check.checkedCount == 2 && check.failure == nil)
        // And a second time, where the first archive's own entry goes too.
        try house.archive(before: Limits.seq)
        #expect(house.machine.segments.count == 1)
        #expect(try house.state(house.machine.storage()) == before[24])
        #expect(try await house.audit(house.machine.storage()).verdict == .intact)
        let whole = try await house.audit(house.whole())
        #expect(whole.verdict == .intact && whole.firstSeq == 1 && whole.entryCount == whole.tip?.seq)
        _ = try house.machine.patch(JSONPatch([.add(JSONPointer(parsing: "/last"), 1)]))
        #expect(try house.state(house.machine.storage()).root["last"] == 1)
    }

    @Test("what lies before is refused, with the entry and the place that it went to")
    func refused() async throws {
        let house = try House()
        let archived = try house.archive(before: 12)
        let view = try LedgerView(house.machine.storage())
        let reader = EntryReader(view, house.machine.environment)
        for seq in [1, 2, archived.statement.last] {
            let error = ledgerError { () throws(LedgerError) in _ = try reader.entry(seq) }
            #expect(error?.code == .refused)
            #expect(error?.message.contains("entry \(seq) was archived to /archive by entry \(archived.receipt.seq)") == true)
            let point = ledgerError { () throws(LedgerError) in _ = try Point.seq(seq).end(in: view, house.machine.environment) }
            #expect(point == error)
        }
        // A fold that no entry holds the state of.
        let unknown = ledgerError { () throws(LedgerError) in
            _ = try FoundFold<Unknown>(in: view, house.machine.environment)
        }
        #expect(unknown?.code == .refused && unknown?.message.contains("entry 1 was archived") == true)
    }

    private struct Unknown: Projection {
        static let name = "unknown"
        static let version = 1
        static let namespaces = ["test"]
        func apply(_ fact: Fact) {}
    }

    @Test("snapshots from before are passed over, and one at the last archived entry still counts")
    func snapshots() throws {
        let house = try House()
        var decider = try house.machine.decider()
        let seq = try decider.snapshot(of: Documents.self)
        try house.archive(before: Limits.seq)
        let view = try LedgerView(house.machine.storage())
        #expect(view.firstSeq == seq + 1)
        let found = try FoundFold<Documents>(in: view, house.machine.environment)
        #expect(found.snapshotSeq == seq && found.ignored.isEmpty)
        _ = try house.machine.patch(JSONPatch([.add(JSONPointer(parsing: "/x"), 1)]))
        try house.archive(before: Limits.seq)
        let later = try FoundFold<Documents>(in: LedgerView(house.machine.storage()), house.machine.environment)
        #expect(later.snapshotSeq == nil && later.ignored.isEmpty)
        #expect(try house.state(house.machine.storage()).root["x"] == 1)
        #expect(try house.machine.count("snapshot.ignored") == 0)
    }

    @Test("nothing to archive, and a copy's place that is taken")
    func nothing() throws {
        let house = try House()
        let before = house.machine.files
        let nothing = ledgerError { () throws(LedgerError) in
            do { try house.archive(before: 2) } catch let error as LedgerError { throw error } catch { return }
        }
        #expect(nothing?.code == .refused && nothing?.message.contains("nothing to archive") == true)
        let bytes: [UInt8] = [1, 2, 3]
        try MemoryStorage(house.archive).create(SegmentReader.path(ofSegment: 1), bytes.span)
        let taken = ledgerError { () throws(LedgerError) in
            do { try house.archive(before: 12) } catch let error as LedgerError { throw error } catch { return }
        }
        #expect(taken?.code == .refused && taken?.message.contains("is there already") == true)
        #expect(house.machine.files == before)
    }

    @Test("a copy that is not what was written keeps everything where it is")
    func spoiledCopy() throws {
        let house = try House()
        let before = house.machine.files
        let target = try FaultInjectingStorage(
            MemoryStorage(house.archive),
            .rule { [disk = house.archive] _, operation in
                // Behind the renaming, and before it is read back.
                if operation.kind == .synchronizeDirectory { disk.flip(1, at: 700, of: SegmentReader.path(ofSegment: 1)) }
                return nil
            })
        let error = ledgerError { () throws(LedgerError) in
            do { try house.archive(before: 12, to: target) } catch let error as LedgerError { throw error } catch { return }
        }
        #expect(error?.code == .tampered && house.machine.files == before, "\(String(describing: error))")
    }

    @Test("a copy that stands there already is on the disk, with its name, before its original goes", arguments: ["", ".ahead"])
    func foundCopy(ending: String) throws {
        let house = try House()
        let path = SegmentReader.path(ofSegment: 1)
        let bytes = house.machine.segment()
        // As a plain copy leaves it.
        let found = StoragePath(Layout.ledger.name, path.name + ending)
        try MemoryStorage(house.archive).open(found, .create).write(bytes.span, at: 0)
        let durable = Mutex<[UInt8]?>(nil)
        let storage = try house.machine.faulty(
            .rule { [archive = house.archive] _, operation in
                if operation == FaultOperation(kind: .remove, path: path) {
                    durable.withLock { $0 = archive.durableImage().bytes(of: path) }
                }
                return nil
            })
        // This one alone: whatever is copied behind it would make its name durable.
        try house.archive(before: house.machine.segments.sorted()[1], storage)
        #expect(durable.withLock { $0 } == bytes)
    }

    @Test("while somebody else archives to the same place nothing is copied there, and nothing goes")
    func twoArchivers() throws {
        let house = try House()
        let before = house.machine.files
        let other = try MemoryStorage(house.archive)
        #expect(try other.tryLock(.writer))
        let busy = ledgerError { () throws(LedgerError) in
            do { try house.archive(before: 12) } catch let error as LedgerError { throw error } catch { return }
        }
        #expect(
            busy?.code == .busy && busy?.message.contains("somebody else is archiving") == true, "\(String(describing: busy))")
        #expect(try house.machine.files == before && MemoryStorage(house.archive).names(in: Layout.ledger).isEmpty)
        other.unlock(.writer)
        try house.archive(before: 12)
        // And the place is free again.
        #expect(try other.tryLock(.writer))
    }

    @Test("a place that somebody gave to another ledger until it was ours is refused")
    func stranger() throws {
        let (house, other) = (try House(seed: 1), try House(seed: 2))
        try other.archive(before: 12)
        let before = house.machine.files
        let refusal = ledgerError { () throws(LedgerError) in
            do { try house.archive(before: 12, to: MemoryStorage(other.archive)) } catch let error as LedgerError {
                throw error
            } catch {
                return
            }
        }
        #expect(
            refusal?.code == .refused && refusal?.message.contains("another ledger") == true, "\(String(describing: refusal))")
        #expect(house.machine.files == before)
    }

    @Test("who looks at a ledger with its archive in front goes on there when segments leave meanwhile")
    func leavesMeanwhile() throws {
        let house = try House()
        let before = try house.hashes()
        // What is known of the archive is that it is empty.
        let whole = try house.whole()
        try house.archive(before: Limits.seq)
        #expect(house.machine.segments.count == 1)
        var hashes: [UInt64: Digest] = [:]
        try EntryReader(LedgerView(whole), house.machine.environment).read(from: 1) { frame, bytes in
            hashes[frame.seq] = frame.hash(in: bytes)
            return true
        }
        for (seq, hash) in before { #expect(hashes[seq] == hash, "seq \(seq)") }
        // Where no segment ever began there is none, in neither of the two.
        let begun = Set(try MemoryStorage(house.archive).names(in: Layout.ledger))
        for seq in 2..<house.machine.segments[0] where !begun.contains(SegmentName.file(firstSeq: seq)) {
            #expect(try whole.status(of: SegmentReader.path(ofSegment: seq)) == nil)
        }
    }

    @Test("a snapshot is kept where the entry that the last one was made at was archived meanwhile")
    func snapshotBehindArchive() throws {
        let house = try House()
        var keeper = try house.machine.decider()
        keeper.snapshotInterval = 5
        #expect(try keeper.snapshotIfDue(of: Documents.self) != nil)
        try house.archive(before: Limits.seq)
        for number in 1...6 { _ = try house.machine.patch(JSONPatch([.add(JSONPointer(parsing: "/k\(number)"), 1)])) }
        let seq = try keeper.snapshotIfDue(of: Documents.self)
        #expect(seq == (try house.machine.head().seq))
    }

    @Test("one changed byte of an archived segment is found, also behind its last frame")
    func changedArchive() async throws {
        let house = try House()
        let archived = try house.archive(before: 12)
        let segment = try #require(archived.statement.segments.first)
        let path = SegmentReader.path(ofSegment: segment.first)
        let bytes = try #require(house.archive.bytes(of: path))
        for offset in stride(from: 0, to: bytes.count, by: 97) {
            let copy = house.copy()
            copy.archive.flip(1, at: offset, of: path)
            #expect(try await copy.audit(copy.whole()).verdict == .tampered, "\(offset)")
        }
        // Another true entry in the archive's place, sealed with the key: only the recorded digest tells.
        let check = ArchiveCheck(house.machine.environment)
        let other = house.copy()
        other.archive.setBytes(of: path, to: bytes + bytes)
        let report = try check.run(LedgerView(house.whole()), [MemoryStorage(other.archive)])
        #expect(report.failure?.code == .tampered && report.failure?.place?.seq == 1)
        #expect(try check.run(LedgerView(house.whole()), [MemoryStorage(house.archive)]).failure == nil)
    }

    @Test("a target that fails leaves the ledger as it was, active segment and all")
    func failingTarget() throws {
        let house = try House(count: 6)
        let before = house.machine.files
        let sound = try FaultInjectingStorage(MemoryStorage(house.copy().archive), .none)
        try house.copy().archive(before: Limits.seq, to: sound)
        var fired = 0
        for (number, operation) in sound.trace.enumerated()
        where [.create, .write, .makeDirectory].contains(operation.kind) {
            let copy = house.copy()
            let target = try FaultInjectingStorage(MemoryStorage(copy.archive), .at([number: .fail(.noSpace)]))
            #expect(throws: LedgerError.self) { try copy.archive(before: Limits.seq, to: target) }
            #expect(copy.machine.files == before, "\(operation)")
            fired += 1
            // And what it left behind stands in nobody's way.
            try copy.archive(before: Limits.seq)
            let names = try MemoryStorage(copy.archive).names(in: Layout.ledger)
            #expect(names.allSatisfy { SegmentName.firstSeq(file: $0) != nil }, "\(names)")
        }
        #expect(fired >= 4)
    }

    @Test("HEAD vouches for the entry before the first segment goes, and each removal is durable before the next")
    func order() throws {
        let house = try House()
        let seen = Mutex<[FaultOperation]>([])
        let storage = try house.machine.faulty(
            .rule { _, operation in
                seen.withLock { $0.append(operation) }
                return nil
            })
        let archived = try house.archive(before: Limits.seq, storage)
        let changes = seen.withLock { $0 }.filter { [.rename, .remove, .synchronizeDirectory].contains($0.kind) }
        let removal = changes.map { $0.kind == .remove && $0.path?.parent == Layout.ledger }
        let first = try #require(removal.firstIndex(of: true))
        let head = changes[..<first].lastIndex { $0.kind == .rename && $0.path?.name.hasPrefix("HEAD") == true }
        #expect(changes[try #require(head) + 1].kind == .synchronizeDirectory)
        let paths = archived.statement.segments.map { SegmentReader.path(ofSegment: $0.first) }
        let expected = paths.flatMap {
            [FaultOperation(kind: .remove, path: $0), FaultOperation(kind: .synchronizeDirectory, path: Layout.ledger)]
        }
        #expect(paths.count > 2 && Array(changes[first...].prefix(expected.count)) == expected)
        #expect(removal.count { $0 } == paths.count)
    }

    @Test("killed at every operation on the ledger or the archive, and the power cut there: all entries are somewhere")
    func crashes() async throws {
        let house = try House(count: 14)
        let hashes = try house.hashes()
        let state = try house.state(house.machine.storage())
        var fired = 0
        for onArchive in [false, true] {
            for number in 0... {
                let copy = house.copy()
                let plan = FaultPlan.at([number: .crash(.bytes(300))])
                let ledger = try copy.machine.faulty(onArchive ? .none : plan)
                let target = try FaultInjectingStorage(MemoryStorage(copy.archive), onArchive ? plan : .none)
                _ = try? copy.archive(before: Limits.seq, ledger, to: target)
                guard let fault = (ledger.fired + target.fired).first else { break }
                guard fault.operation.kind.isChange else { continue }
                fired += 1
                var images = [House(SimulatedMachine(copy.machine, copy.machine.disk.copy()), copy.archive.copy())]
                for (disk, archive) in zip(copy.machine.disk.crashImages(0..<3), copy.archive.crashImages(0..<3)) {
                    images.append(House(SimulatedMachine(copy.machine, disk), archive))
                }
                for (index, image) in images.enumerated() {
                    let note = "\(fault) on the \(onArchive ? "archive" : "ledger"), image \(index)"
                    let report = try await image.audit(image.machine.storage())
                    #expect(report.exitCode == 0, "\(note): \(report.verdictLine)")
                    _ = try image.machine.open()
                    let whole = try await image.audit(image.whole())
                    #expect(whole.verdict == .intact && whole.firstSeq == 1, "\(note): \(whole.verdictLine)")
                    let found = try image.hashes()
                    #expect(hashes.allSatisfy { found[$0.key] == $0.value }, "\(note)")
                    #expect(try image.state(image.machine.storage()) == state, "\(note)")
                    try image.archive(before: Limits.seq)
                    let end = try await image.audit(image.whole())
                    #expect(end.verdict == .intact && image.machine.segments.count == 1, "\(note): \(end.verdictLine)")
                    #expect(try image.state(image.machine.storage()) == state, "\(note)")
                }
            }
        }
        #expect(fired > 30)
    }
}
