import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// Design §3, row by row.
@Suite("What counts as torn, and what becomes of it")
struct TornTailTests {
    @Test("an incomplete decision beyond HEAD is cut as torn")
    func incompleteDecision() async throws {
        let machine = try SimulatedMachine(count: 4)
        let end = machine.dataEnd()
        try machine.writeAndDie { try $0.decide((5...7).map { TestLedger.draft($0) }) }
        let last = try machine.place(8)
        var bytes = machine.segment()
        for index in last.offset..<bytes.count { bytes[index] = 0 }
        machine.setSegment(1, bytes)
        let report = try await machine.audit()
        #expect(report.verdict == .torn && report.place == Place(segment: 1, offset: end, seq: 6))
        let tail = Array(bytes[end..<last.offset])
        try await expectCut(machine, tail, at: end)
    }

    @Test("damage behind an incomplete decision: all of the decision is cut")
    func damagedDecision() async throws {
        let machine = try SimulatedMachine(count: 4)
        let end = machine.dataEnd()
        try machine.writeAndDie { try $0.decide((5...7).map { TestLedger.draft($0) }) }
        let last = try machine.place(8)
        let bytes = Array(machine.segment()[..<(last.offset + 50)])
        machine.setSegment(1, bytes)
        try await expectCut(machine, Array(bytes[end...]), at: end)
    }

    /// What a crash can leave behind entry 5, and what it cannot.
    enum Tear: String, CaseIterable, Sendable {
        case halfFrame, oneByte, junkThenPadding, lostSectors, halfFrameThenPadding
    }

    private func tear(_ machine: SimulatedMachine, _ kind: Tear) throws -> (tail: [UInt8], end: Int) {
        try machine.appendUnvouched(5...5, size: 3000)
        var bytes = machine.segment()
        let end = try machine.place(6).offset
        switch kind {
        case .halfFrame: bytes.removeSubrange((end + 700)...)
        case .oneByte: bytes.removeSubrange((end + 1)...)
        case .junkThenPadding:
            bytes.removeSubrange((end + 33)...)
            bytes += [UInt8](repeating: 0, count: 9000)
        case .lostSectors:
            let sector = (end + 511) / 512 * 512
            for index in sector..<sector + 1024 { bytes[index] = 0 }
        case .halfFrameThenPadding: for index in (end + 700)..<bytes.count { bytes[index] = 0 }
        }
        machine.setSegment(1, bytes)
        var tail = Array(bytes[end...])
        while tail.last == 0 { tail.removeLast() }
        return (tail, end)
    }

    @Test("torn: kept as evidence, cut, recorded once, adopted", arguments: Tear.allCases)
    func torn(kind: Tear) async throws {
        let machine = try SimulatedMachine(count: 4)
        let (tail, end) = try tear(machine, kind)
        let before = machine.files
        let report = try await machine.audit()
        #expect(report.verdict == .torn && report.exitCode == 0)
        #expect(report.place == Place(segment: 1, offset: end, seq: 6))
        #expect(machine.files == before, "verifying writes nothing")
        #expect(try machine.entries().count == 5, "readers serve what lies before")
        try await expectCut(machine, tail, at: end)
    }

    private func expectCut(_ machine: SimulatedMachine, _ tail: [UInt8], at end: Int) async throws {
        let head = try machine.head()
        let notices = try machine.open()
        #expect(notices.count == 1)
        #expect(machine.evidence.count == 1)
        let (name, kept) = try #require(machine.evidence.first)
        #expect(name.hasSuffix(".bin") && kept == tail)
        let entry = try #require(try machine.entries().last)
        #expect(entry.action == "ledger.tail_cut" && entry.seq == head.seq + 1)
        let body = try JSON(parsing: entry.body)
        #expect(body["evidence"]?.string == "quarantine/\(name)")
        #expect(body["sha256"]?.string == Digest(sha256: tail.span).description)
        #expect(body["offset"]?.integer == Int64(end) && body["bytes"]?.integer == Int64(tail.count))
        #expect(body["segment"]?.string == SegmentName.file(firstSeq: 1))
        #expect(try await machine.audit().verdict == .intact)
        let after = machine.files
        #expect(try machine.open() == [])
        #expect(machine.files == after, "opening again does nothing")
        try machine.append(90...91)
        #expect(try machine.count("ledger.tail_cut") == 1)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test(
        "a crash at any step of the mending changes nothing about its end", arguments: [Tear.halfFrame, .lostSectors])
    func crashWhileMending(kind: Tear) async throws {
        let torn = try SimulatedMachine(count: 4)
        let (tail, _) = try tear(torn, kind)
        let digest = Digest(sha256: tail.span).description
        var operations = 0
        for number in 0... {
            var fired = false
            for progress in [Fault.Progress.nothing, .bytes(300), .everything] {
                let machine = torn.copy()
                let storage = try machine.faulty(.at([number: .crash(progress)]))
                var session = try machine.session(storage)
                try? session.acquire()
                if session.isHolding { session.release() }
                guard !storage.fired.isEmpty else { continue }
                fired = true
                operations = number
                // The process alone was killed; or the machine too.
                for disk in [machine.disk.copy()] + machine.disk.crashImages(0..<6) {
                    let survivor = SimulatedMachine(machine, disk)
                    #expect(try survivor.openingError() == nil, "operation \(number), \(progress)")
                    #expect(try await survivor.audit().verdict == .intact, "operation \(number), \(progress)")
                    let cuts = try survivor.entries().filter { $0.action == "ledger.tail_cut" }
                    let ours = try cuts.filter { try JSON(parsing: $0.body)["sha256"]?.string == digest }
                    #expect(ours.count == 1, "operation \(number), \(progress)")
                    #expect(survivor.evidence.values.contains(tail))
                    #expect(
                        survivor.evidence.count == cuts.count
                            && survivor.evidence.keys.allSatisfy { $0.hasSuffix(".bin") })
                }
            }
            if !fired { break }
        }
        #expect(operations > 30, "\(operations)")
    }

    @Test("damage that HEAD's 8 MiB do not reach is no crash's", arguments: [8, 10])
    func farBehindHead(count: Int) async throws {
        let machine = try SimulatedMachine(count: 1)
        let head = machine.headBytes
        try machine.append(2...count + 1, size: 900_000)
        try machine.append(50...50)
        machine.disk.setBytes(of: Layout.head, to: head)
        machine.setSegment(1, Array(machine.segment()[..<(machine.dataEnd() - 10)]))
        #expect(try await machine.audit().verdict == (count == 8 ? .torn : .tampered))
    }

    @Test("more than 32 MiB of it is no crash's; NULs at the end do not count", arguments: [true, false])
    func hugeTail(isNULs: Bool) async throws {
        let machine = try SimulatedMachine(count: 1)
        let end = machine.dataEnd()
        let sector = end / 512 * 512 + 512
        var bytes = Array(machine.segment()[..<end])
        bytes += Array(("9999:" + String(repeating: "x", count: 512)).utf8.prefix(sector - end))
        bytes += [UInt8](repeating: isNULs ? 0 : 0x78, count: Limits.tornTail + 1)
        machine.setSegment(1, bytes)
        #expect(try await machine.audit().verdict == (isNULs ? .torn : .tampered))
    }

    @Test("tampered, not torn: a whole last frame with one byte changed", arguments: [true, false])
    func changedLastFrame(isPadded: Bool) async throws {
        let machine = try SimulatedMachine(count: 4)
        try machine.appendUnvouched(5...5)
        let place = try machine.place(6)
        let dataEnd = machine.dataEnd()
        var bytes = machine.segment()
        bytes[dataEnd - 200] ^= 1
        if !isPadded { bytes.removeSubrange(dataEnd...) }
        machine.setSegment(1, bytes)
        let report = try await machine.audit()
        #expect(report.verdict == .tampered)
        #expect(report.place == place)
        #expect(machine.segment() == bytes)
    }

    @Test("tampered, not torn: a byte changed where a later entry knew it durable; NULs that are no sectors")
    func notTorn() async throws {
        let machine = try SimulatedMachine(count: 4)
        try machine.appendUnvouched(5...9)
        let place = try machine.place(7)
        for change in 0..<3 {
            let copy = machine.copy()
            var bytes = copy.segment()
            switch change {
            case 0: for index in place.offset..<place.offset + 600 { bytes[index] = 0 }
            case 1: bytes[place.offset + 50] = 0
            default:
                bytes = Array(bytes[..<(copy.dataEnd() + 100)])
                bytes[bytes.count - 1] = 1
            }
            copy.setSegment(1, bytes)
            let report = try await copy.audit()
            #expect(report.verdict == .tampered, "change \(change)")
            if change < 2 { #expect(report.place == place) }
        }
    }

    @Test("in alert nothing counts as torn")
    func tornInAlert() async throws {
        let machine = try SimulatedMachine(count: 4)
        _ = try tear(machine, .halfFrame)
        var head = try machine.head()
        head.alert = true
        machine.disk.setBytes(of: Layout.head, to: head.sealed(with: try machine.key()))
        let before = machine.files
        #expect(try await machine.audit().verdict == .tampered)
        #expect(try machine.openingError()?.code == .locked)
        #expect(machine.files == before)
    }

    @Test("damage more than a segment behind HEAD is no crash's", arguments: [1, 2])
    func segmentsBehindHead(count: Int) async throws {
        var settings = WriterSettings()
        settings.segmentByteCount = 3000
        let machine = try SimulatedMachine(settings: settings)
        var heads: [UInt64: [UInt8]] = [:]
        for number in 1...20 {
            try machine.append(number...number)
            heads[try machine.head().segment] = machine.headBytes
        }
        let segments = heads.keys.sorted()
        let last = try #require(segments.last)
        machine.setSegment(last, Array(machine.segment(last)[..<(machine.dataEnd(last) - 10)]))
        machine.disk.setBytes(of: Layout.head, to: try #require(heads[segments[segments.count - 1 - count]]))
        let report = try await machine.audit()
        #expect(report.verdict == (count == 1 ? .torn : .tampered))
        if count == 1 { #expect(try machine.open().count == 1) } else { try machine.expectAlert(at: report.place) }
    }

    @Test("what has no name of evidence in quarantine/ is left alone")
    func strangeNames() throws {
        let machine = try SimulatedMachine(count: 2)
        for name in [
            "tail-1-2.pending", "tail-x-0-0123456789abcdef.pending", "tail-1-x-0123456789abcdef.pending",
            "tail-1-0-0123456789ABCDEF.pending", "tail-1-0-0123456789abcdef-.pending-", "notes.txt",
        ] {
            machine.disk.put(Array("mine".utf8), at: StoragePath("quarantine", name))
        }
        let before = machine.files
        #expect(try machine.open() == [])
        #expect(machine.files == before)
    }
}
