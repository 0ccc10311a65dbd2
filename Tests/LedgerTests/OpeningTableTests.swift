import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// Design §3, row by row.
@Suite("What opening finds, and does")
struct OpeningTableTests {
    // HEAD valid

    @Test("HEAD valid, ledger whole to its end: nothing is changed")
    func whole() async throws {
        let machine = try SimulatedMachine(count: 5)
        let before = machine.files
        #expect(try machine.open() == [])
        #expect(machine.files == before)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("HEAD valid, ledger whole beyond it: adopted, and HEAD follows")
    func beyond() async throws {
        let machine = try SimulatedMachine(count: 5)
        let head = try machine.head()
        let receipts = try machine.appendUnvouched(6...9)
        #expect(try machine.head() == head)
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.open() == [])
        #expect(try machine.head().seq == 10)
        let next = try machine.append(10...10)
        #expect(next[0].seq == 11)
        #expect(try machine.entries().map(\.hash).contains(receipts[3].hash))
        #expect(try machine.entries().count == 11, "nothing was recorded about it")
    }

    @Test("HEAD put back alone: the longer chain is adopted")
    func oldHead() async throws {
        let machine = try SimulatedMachine(count: 2)
        let old = machine.headBytes
        try machine.append(3...9)
        machine.disk.setBytes(of: Layout.head, to: old)
        #expect(try await machine.audit().verdict == .intact)
        #expect(try machine.append(10...10)[0].seq == 11)
    }

    @Test("HEAD valid, ledger shorter: tampered, nothing is cut, the alert is raised", arguments: [1, 100, 700, 1500])
    func shorter(cut: Int) async throws {
        var settings = WriterSettings()
        settings.preallocationByteCountMax = 0
        let machine = try SimulatedMachine(count: 5, settings: settings)
        let bytes = Array(machine.segment().dropLast(cut))
        machine.setSegment(1, bytes)
        let report = try await machine.audit()
        #expect(report.verdict == .tampered)
        try machine.expectAlert(at: report.place)
        #expect(machine.segment() == bytes)
    }

    @Test("HEAD valid, ledger cut where an entry ends: the missing range is named")
    func lostEntries() async throws {
        var settings = WriterSettings()
        settings.preallocationByteCountMax = 0
        let machine = try SimulatedMachine(count: 5, settings: settings)
        let place = try machine.place(4)
        machine.setSegment(1, Array(machine.segment()[..<place.offset]))
        let report = try await machine.audit()
        #expect(report.verdict == .tampered && report.place == place)
        #expect(report.reason?.contains("seq 6") == true)
        try machine.expectAlert(at: place)
    }

    @Test("HEAD valid, its segment gone or renamed: tampered", arguments: [true, false])
    func segmentGone(isRenamed: Bool) async throws {
        let machine = try SimulatedMachine(count: 5)
        let path = SegmentReader.path(ofSegment: 1)
        if isRenamed {
            machine.disk.move(path, to: SegmentReader.path(ofSegment: 2))
        } else {
            machine.disk.delete(path)
        }
        let report = try await machine.audit()
        #expect(report.verdict == .tampered)
        #expect(report.exitCode == 10)
        #expect(try machine.openingError()?.code == .tampered)
    }

    @Test(
        "a flipped bit in what HEAD's last frame holds or beyond: tampered, alert raised, nothing cut", arguments: 5...8
    )
    func flipped(seq: UInt64) async throws {
        let machine = try SimulatedMachine(count: 4)
        try machine.appendUnvouched(5...8)
        let place = try machine.place(seq)
        var bytes = machine.segment()
        bytes[place.offset + 100] ^= 4
        machine.setSegment(1, bytes)
        let report = try await machine.audit()
        #expect(report.verdict == .tampered && report.place == place)
        try machine.expectAlert(at: place)
        #expect(machine.segment() == bytes)
        #expect(machine.evidence.isEmpty)
    }

    @Test("a flipped bit below HEAD's last frame is the audit's to find: a one-shot verb goes on")
    func flippedBelow() async throws {
        let machine = try SimulatedMachine(count: 4)
        let place = try machine.place(2)
        var bytes = machine.segment()
        bytes[place.offset + 100] ^= 4
        machine.setSegment(1, bytes)
        #expect(try machine.openingError() == nil)
        let report = try await machine.audit()
        #expect(report.verdict == .tampered && report.place == place)
    }

    @Test("an entry of a later version beyond HEAD: unverifiable; it is not cut, and no alarm")
    func laterVersion() async throws {
        let machine = try SimulatedMachine(count: 4)
        let end = machine.dataEnd()
        let forge = Forge(after: try machine.tip()) { $0.version = "2" }
        var bytes = Array(machine.segment()[..<end]) + forge.frame(try machine.key())
        bytes += [UInt8](repeating: 0, count: 4096)
        machine.setSegment(1, bytes)
        let before = machine.files
        let report = try await machine.audit()
        #expect(report.verdict == .unverifiable)
        #expect(try machine.openingError()?.code == .unverifiable)
        #expect(machine.files == before)
    }

    // HEAD missing or wrong

    @Test("HEAD missing or empty, ledger whole: rebuilt in alert, recorded once", arguments: [true, false])
    func missingHead(isEmpty: Bool) async throws {
        let machine = try SimulatedMachine(count: 4)
        if isEmpty { machine.disk.setBytes(of: Layout.head, to: []) } else { machine.disk.delete(Layout.head) }
        let report = try await machine.audit()
        #expect(report.verdict == .tampered && report.place == Place(segment: 0, offset: 0, seq: 5))
        let error = try #require(try machine.openingError())
        #expect(error.code == .tampered)
        try await expectRebuilt(machine, verified: 5)
    }

    private func expectRebuilt(_ machine: SimulatedMachine, verified: Int64) async throws {
        let head = try machine.head()
        #expect(head.alert && head.seq == UInt64(verified + 1))
        let entry = try #require(try machine.entries().last)
        #expect(entry.action == "ledger.head_rebuilt")
        #expect(try JSON(parsing: entry.body)["verified"]?.integer == verified)
        #expect(try machine.openingError()?.code == .locked)
        #expect(try machine.count("ledger.head_rebuilt") == 1)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("an earlier HEAD put back over one that was rebuilt in alert: the alert stands")
    func oldHeadOverRebuilt() async throws {
        let machine = try SimulatedMachine(count: 4)
        let old = machine.headBytes
        machine.disk.delete(Layout.head)
        #expect(try machine.openingError()?.code == .tampered)
        machine.disk.setBytes(of: Layout.head, to: old)
        for _ in 0..<2 {
            #expect(try machine.openingError()?.code == .locked)
            #expect(try machine.head().alert)
        }
        #expect(try machine.entries().count == 6)
    }

    @Test("HEAD missing on a ledger of more than 8 MiB")
    func missingHeadOfLargeLedger() async throws {
        let machine = try SimulatedMachine()
        try machine.append(1...10, size: 900_000)
        machine.disk.delete(Layout.head)
        #expect(try machine.openingError()?.place?.seq == 11)
        try await expectRebuilt(machine, verified: 11)
    }

    @Test("HEAD missing where the entry about it begins a new segment")
    func missingHeadAtRoll() async throws {
        var machine = try SimulatedMachine(count: 4)
        machine.settings.segmentByteCount = 600
        machine.disk.delete(Layout.head)
        #expect(try machine.openingError()?.place?.seq == 5)
        try await expectRebuilt(machine, verified: 5)
    }

    @Test("HEAD missing, and a crash at any step of rebuilding it")
    func crashWhileRebuilding() async throws {
        let headless = try SimulatedMachine(count: 3)
        headless.disk.delete(Layout.head)
        var outcomes: [String: Int] = [:]
        for number in 0... {
            let machine = headless.copy()
            let storage = try machine.faulty(.at([number: .crash(.everything)]))
            var session = try machine.session(storage)
            #expect(throws: LedgerError.self) { try session.acquire() }
            if storage.fired.isEmpty { break }
            for disk in [machine.disk.copy()] + machine.disk.crashImages(0..<6) {
                let survivor = SimulatedMachine(machine, disk)
                let files = survivor.files
                let error = try #require(try survivor.openingError())
                if error.code == .tampered, error.place?.segment != 0 {
                    // The entry about it was torn: damage without HEAD, which stays as it is.
                    #expect(survivor.files == files)
                    outcomes["torn", default: 0] += 1
                    continue
                }
                outcomes["\(error.code)", default: 0] += 1
                #expect(try survivor.openingError()?.code == .locked)
                #expect(try survivor.count("ledger.head_rebuilt") == 1)
                #expect(try survivor.head().alert)
            }
        }
        #expect(outcomes["tampered", default: 0] > 20 && outcomes["locked", default: 0] > 3, "\(outcomes)")
    }

    @Test("HEAD missing and any damage: tampered, nothing is written", arguments: 0...3)
    func missingHeadAndDamage(kind: Int) async throws {
        let machine = try SimulatedMachine(count: 4)
        machine.disk.delete(Layout.head)
        var bytes = machine.segment()
        switch kind {
        case 0: bytes[try machine.place(3).offset + 90] ^= 1
        case 1: bytes = Array(bytes[..<(machine.dataEnd() - 1)])
        case 2: bytes[bytes.count - 1] = 1
        default: bytes = []
        }
        machine.setSegment(1, bytes)
        let before = machine.files
        #expect(try machine.openingError()?.code == .tampered)
        #expect(machine.files == before)
        if kind < 3 { #expect(try await machine.audit().verdict == .tampered) }
    }

    @Test("HEAD of wrong MAC or form: tampered, nothing is written", arguments: 0...5)
    func wrongHead(kind: Int) async throws {
        let machine = try SimulatedMachine(count: 4)
        let head = try machine.head()
        var bytes = machine.headBytes
        switch kind {
        case 0: bytes[bytes.count - 10] ^= 1
        case 1: bytes = head.sealed(with: SealingKey(bytes: [UInt8](repeating: 3, count: 32)))
        case 2: bytes += [0x0A]
        case 3: bytes = [UInt8](repeating: 0, count: bytes.count)
        case 4: bytes = Array(bytes.dropLast(40))
        default: bytes = [UInt8](repeating: 0x20, count: 5000)
        }
        machine.disk.setBytes(of: Layout.head, to: bytes)
        let before = machine.files
        #expect(try machine.openingError()?.code == .tampered)
        #expect(machine.files == before)
        let report = try await machine.audit()
        #expect(report.verdict == .tampered && report.place == Place(segment: 0, offset: 0, seq: 5))
    }

    @Test("HEAD of another ledger: tampered")
    func foreignHead() async throws {
        let machine = try SimulatedMachine(count: 4)
        let other = try SimulatedMachine(seed: 99, count: 4)
        machine.disk.setBytes(of: Layout.head, to: other.headBytes)
        // Whether its key is here or not.
        for path in [nil] + other.disk.files().filter({ $0.directory == "keys" }).map(Optional.some) {
            if let path { machine.disk.put(other.disk.bytes(of: path) ?? [], at: path) }
            #expect(try await machine.audit().verdict == .tampered)
            let before = machine.files
            let error = try #require(try machine.openingError())
            #expect(error.code == .tampered && error.message.contains("HEAD belongs to another ledger"), "\(error)")
            #expect(machine.files == before, "what is wrong is not written to")
        }
    }

    @Test("in alert: locked, nothing is written, and reading goes on")
    func alert() async throws {
        let machine = try SimulatedMachine(count: 4)
        var head = try machine.head()
        head.alert = true
        machine.disk.setBytes(of: Layout.head, to: head.sealed(with: try machine.key()))
        let before = machine.files
        #expect(try machine.openingError()?.code == .locked)
        #expect(machine.files == before)
        #expect(try machine.entries().count == 5)
        #expect(try await machine.audit().verdict == .intact)
    }

    // What else may stand there

    @Test("no ledger at all")
    func nothing() async throws {
        let disk = MemoryDisk.withEmptyBase()
        let machine = SimulatedMachine(try SimulatedMachine(), disk)
        for directory in [Layout.ledger, Layout.keys, Layout.quarantine] {
            try machine.storage().makeDirectory(directory)
        }
        #expect(try machine.openingError()?.code == .usage)
        await #expect(throws: LedgerError.self) { try await machine.audit() }
    }

    @Test("the directory of segments gone: tampered")
    func ledgerDirectoryGone() async throws {
        let machine = try SimulatedMachine(count: 4)
        for path in machine.disk.files() where path.directory == "ledger" { machine.disk.delete(path) }
        machine.disk.delete(Layout.ledger)
        #expect(try await machine.audit().exitCode == 10)
        #expect(try machine.openingError()?.code == .tampered)
    }

    @Test("the key missing, damaged, replaced, or open to others: each its own words, and nothing is written")
    func keys() async throws {
        let machine = try SimulatedMachine(count: 4)
        let path = try #require(machine.disk.files().first { $0.directory == "keys" })
        var messages: Set<String> = []
        for kind in 0..<4 {
            let copy = machine.copy()
            switch kind {
            case 0: copy.disk.delete(path)
            case 1: copy.disk.setBytes(of: path, to: Array(copy.disk.bytes(of: path)!.dropLast()))
            case 2: copy.disk.setBytes(of: path, to: TestLedger.key.fileContents)
            default: copy.disk.setMode(0o644, of: path)
            }
            let before = copy.files
            let error = try #require(try copy.openingError())
            #expect(error.code == (kind == 3 ? .refused : .unverifiable))
            #expect(copy.files == before)
            messages.insert(error.message)
            if kind == 3 {
                await #expect(throws: LedgerError.self) { try await copy.audit() }
            } else {
                let report = try await copy.audit()
                #expect(report.verdict == .unverifiable && report.keyAbsence != nil)
                #expect(report.entryCount == 5 && report.place.seq == 5)
            }
        }
        #expect(messages.count == 4)
    }

    @Test("somebody else's ledger is not written to, not even by root")
    func foreignOwner() throws {
        let machine = try SimulatedMachine(count: 1)
        let storage = try MemoryStorage(machine.disk, user: machine.disk.owner + 1)
        var session = try machine.session(storage)
        #expect(ledgerError { () throws(LedgerError) in try session.acquire() }?.code == .refused)
        #expect(throws: Never.self) { try machine.append(2...2) }
    }

    // Unproven bytes

    @Test("bytes beyond HEAD are written again and synced before anything is appended or acknowledged")
    func unproven() throws {
        let machine = try SimulatedMachine(count: 4)
        let draft = TestLedger.draft(5, id: "five")
        let receipt = try machine.writeAndDie { try $0.record(draft) }
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        let segment = SegmentReader.path(ofSegment: 1)
        let changes = storage.trace.filter { $0.kind.isChange && $0.path == segment }.map(\.kind)
        #expect(changes == [.write, .synchronize])
        // HEAD follows, before anything new is acknowledged.
        let lastChange = try #require(storage.trace.lastIndex { $0.kind.isChange })
        let answer = try session.decide([draft])
        #expect(answer.isRepetition && answer.receipts == [receipt])
        #expect(storage.trace[(lastChange + 1)...].allSatisfy { !$0.kind.isChange })
        // Whatever the page cache said, it is on the disk now.
        #expect(SimulatedMachine(machine, machine.disk.durableImage()).segment().contains(receipt))
    }

    @Test("nothing beyond HEAD: nothing is written again")
    func proven() throws {
        let machine = try SimulatedMachine(count: 4)
        let storage = try machine.faulty()
        var session = try machine.session(storage)
        try session.acquire()
        session.release()
        #expect(storage.trace.allSatisfy { !$0.kind.isChange })
    }

    // How often
}

extension [UInt8] {
    fileprivate func contains(_ receipt: Receipt) -> Bool {
        String(decoding: self, as: UTF8.self).contains(receipt.hash.description)
    }
}
