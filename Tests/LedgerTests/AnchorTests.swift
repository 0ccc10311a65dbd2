import CanonicalJSON
import DurableFiles
import LedgerFormat
import Synchronization
import TestSupport
import Testing

import Ledger

/// Anchors of any ledger, in memory.
final class MemoryAnchors: AnchorStore {
    let here: PathText
    private let anchors: Mutex<[LedgerID: Anchor]>
    /// Why nothing can be kept; nil when it can.
    private let failure: String?

    init(_ path: String = "/ledger", _ anchors: [LedgerID: Anchor] = [:], failure: String? = nil) {
        here = PathText(Array(path.utf8))
        self.anchors = Mutex(anchors)
        self.failure = failure
    }

    /// The same anchors, as they are met at another path.
    func elsewhere(_ path: String) -> MemoryAnchors { MemoryAnchors(path, anchors.withLock { $0 }) }

    func read(_ ledger: LedgerID) -> AnchorFinding {
        if let failure { return .unusable(failure) }
        return anchors.withLock { $0[ledger].map { .found($0) } ?? .absent }
    }

    func update(_ ledger: LedgerID, _ change: (inout Anchor) -> Void) -> String? {
        if let failure { return failure }
        anchors.withLock { anchors in
            var anchor = anchors[ledger] ?? Anchor(ledger)
            change(&anchor)
            anchors[ledger] = anchor
        }
        return nil
    }
}

@Suite("The anchor outside the ledger")
struct AnchorTests {
    private static let ledger = LedgerID(1, 2)

    private static func hash(_ seq: UInt64, _ history: UInt8 = 0) -> Digest {
        let bytes = [UInt8(truncatingIfNeeded: seq), UInt8(truncatingIfNeeded: seq >> 8), history]
        return Digest(sha256: bytes.span)
    }

    private static func path(_ text: String) -> PathText { PathText(Array(text.utf8)) }

    private static func sighting(_ place: String, _ seq: UInt64, history: UInt8 = 0) -> Anchor.Sighting {
        .init(
            path: path(place), seq: seq, hash: hash(seq, history), segment: 1, offset: Int(seq) * 500,
            time: Timestamp(microseconds: 1_769_860_800_000_000))
    }

    private func verdict(_ sightings: [Anchor.Sighting], lastSeq: UInt64) -> AnchorVerdict {
        AnchorVerdict(.found(Anchor(Self.ledger, sightings)), at: Self.path("/a"), lastSeq: lastSeq) { Self.hash($0) }
    }

    @Test("what was seen before decides: fine, a notice, or an alarm")
    func decisions() {
        #expect(verdict([], lastSeq: 7) == .fine)
        #expect(verdict([Self.sighting("/a", 7), Self.sighting("/b", 3)], lastSeq: 7) == .fine)
        #expect(verdict([Self.sighting("/a", 5)], lastSeq: 7) == .fine)
        guard case .notice(let text) = verdict([Self.sighting("/a", 7), Self.sighting("/b", 9)], lastSeq: 7) else {
            Issue.record("a copy that is behind is a notice")
            return
        }
        #expect(text.contains("/b up to seq 9") && text.contains("ends at seq 7"))
        #expect(
            verdict([Self.sighting("/a", 8)], lastSeq: 7)
                == .alarm([.init(kind: .steppedBack(to: 7), sighting: Self.sighting("/a", 8), isHere: true)]))
        let other = Self.sighting("/a", 7, history: 1)
        #expect(verdict([other], lastSeq: 7) == .alarm([.init(kind: .otherHistory, sighting: other, isHere: true)]))
        let copy = Self.sighting("/b", 6, history: 1)
        #expect(
            verdict([copy, Self.sighting("/a", 9)], lastSeq: 7)
                == .alarm([
                    .init(kind: .steppedBack(to: 7), sighting: Self.sighting("/a", 9), isHere: true),
                    .init(kind: .otherHistory, sighting: copy, isHere: false),
                ]))
    }

    @Test("what was seen here and is archived since cannot be compared, which is said; of other places it is not")
    func archived() {
        func verdict(_ sighting: Anchor.Sighting, _ hash: Digest?) -> AnchorVerdict {
            let finding = AnchorFinding.found(Anchor(Self.ledger, [sighting]))
            return AnchorVerdict(finding, at: Self.path("/a"), firstSeq: 6, lastSeq: 9) { _ in hash }
        }
        let (here, there) = (Self.sighting("/a", 4), Self.sighting("/b", 4))
        #expect(verdict(here, nil) == .archived(here))
        #expect(verdict(here, Self.hash(4)) == .fine && verdict(there, nil) == .fine)
        #expect(verdict(Self.sighting("/a", 7), nil) == .fine, "lost in a repair")
        guard case .alarm = verdict(here, Self.hash(4, 1)) else {
            Issue.record("what a segment ended with is compared")
            return
        }
    }

    @Test("an entry whose absence the ledger itself accounts for is no other history")
    func accountedGap() {
        let anchor = Anchor(Self.ledger, [Self.sighting("/a", 4, history: 1)])
        #expect(AnchorVerdict(.found(anchor), at: Self.path("/a"), lastSeq: 7) { _ in nil } == .fine)
    }

    @Test("nothing known, or nothing usable, is a warning")
    func warnings() {
        for finding in [AnchorFinding.absent, .unusable("no")] {
            let verdict = AnchorVerdict(finding, at: Self.path("/a"), lastSeq: 7) { Self.hash($0) }
            guard case .warning = verdict else {
                Issue.record("\(finding) is a warning")
                continue
            }
        }
    }

    @Test("a lower seq never replaces a higher one, but for a step back that is accepted")
    func noting() {
        var anchor = Anchor(Self.ledger)
        anchor.note(Self.sighting("/a", 9))
        anchor.note(Self.sighting("/a", 5))
        #expect(anchor.sighting(at: Self.path("/a"))?.seq == 9)
        anchor.note(Self.sighting("/b", 5, history: 1))
        anchor.accept(Self.sighting("/a", 6), forgetting: [Self.sighting("/b", 5, history: 1), Self.sighting("/a", 9)])
        #expect(anchor.sightings == [Self.sighting("/a", 6)])
    }

    @Test("64 places are kept; the one that did not change for longest goes")
    func bounded() {
        var anchor = Anchor(Self.ledger)
        for number in 1...64 { anchor.note(Self.sighting("/\(number)", 1)) }
        anchor.note(Self.sighting("/1", 2))
        anchor.note(Self.sighting("/65", 1))
        #expect(anchor.sightings.count == 64)
        #expect(anchor.sighting(at: Self.path("/2")) == nil && anchor.sighting(at: Self.path("/1"))?.seq == 2)
    }

    @Test("the file gives back what was written, paths that are no UTF-8 too; anything else is no anchor")
    func coding() throws {
        var odd = Self.sighting("/x", 3)
        odd.path = PathText([0x2F, 0xFF, 0xFE])
        let anchor = Anchor(Self.ledger, [Self.sighting("/a/\u{1B}é", 1 << 50), odd])
        let bytes = anchor.fileContents
        #expect(Anchor(file: bytes, of: Self.ledger) == anchor)
        #expect(odd.path != PathText(Array(odd.path.text.utf8)))
        #expect(Anchor(file: bytes, of: LedgerID(1, 3)) == nil)
        for count in 0..<bytes.count { #expect(Anchor(file: Array(bytes[..<count]), of: Self.ledger) == nil) }
    }
}

@Suite("A writer and its anchor")
struct AnchoredWriterTests {
    private func session(
        _ machine: SimulatedMachine, _ anchors: any AnchorStore, _ storage: (any Storage)? = nil
    ) throws -> WriterSession {
        try WriterSession(storage ?? machine.storage(), machine.environment, machine.settings, anchor: anchors)
    }

    /// Opens, appends and releases; what the user is told.
    @discardableResult
    private func append(_ machine: SimulatedMachine, _ anchors: any AnchorStore, _ numbers: ClosedRange<Int>) throws -> [String] {
        var session = try session(machine, anchors)
        try session.acquire()
        for number in numbers { try session.record(TestLedger.draft(number)) }
        session.release()
        return session.takeNotices()
    }

    /// What opening says, and that it changed nothing.
    private func refusal(_ machine: SimulatedMachine, _ anchors: any AnchorStore) throws -> LedgerError? {
        let before = machine.files
        var session = try session(machine, anchors)
        let error = ledgerError { () throws(LedgerError) in try session.acquire() }
        if error == nil { session.release() } else { #expect(machine.files == before, "a refused opening wrote something") }
        return error
    }

    @Test("the whole ledger put back to an older state is refused, with nothing written; accepting it is recorded")
    func rollback() throws {
        let machine = try SimulatedMachine(count: 3)
        let anchors = MemoryAnchors()
        #expect(try append(machine, anchors, 1...2).count == 1, "the first time nothing is known")
        let old = machine.copy()
        #expect(try append(machine, anchors, 3...5) == [])
        #expect(try refusal(machine, anchors) == nil)

        let error = try #require(try refusal(old, anchors))
        #expect(
            error.code == .tampered && error.message.contains("stepped back from seq 9") && error.message.contains("to seq 6"))
        #expect(try !old.head().alert)

        var session = WriterSession(try old.storage(), old.environment, old.settings)
        try session.acquire()
        let acceptance = try session.accept(anchors, reason: "restored")
        #expect(acceptance?.objections.count == 1 && acceptance?.failure == nil)
        let again = try session.accept(anchors, reason: "again")
        #expect(again == nil)
        session.release()
        let entry = try #require(try old.entries().last)
        #expect(entry.action == "anchor.accepted" && entry.seq == 7)
        let body = try JSON(parsing: entry.body)
        #expect(body["from"]?["seq"]?.integer == 9 && body["to"]?["seq"]?.integer == 6)
        #expect(body["from"]?["path"]?.string == "/ledger")
        #expect(try append(old, anchors, 6...9) == [])
        // The state of before is now the other history.
        #expect(try refusal(machine, anchors)?.code == .tampered)
    }

    @Test("a step back whose tail is torn is no crash: nothing is cut, and HEAD that lags is not replaced")
    func rollbackWithTail() throws {
        let machine = try SimulatedMachine(count: 3)
        let anchors = MemoryAnchors()
        try append(machine, anchors, 1...2)
        let lagging = machine.copy()
        try lagging.appendUnvouched(3...3)
        let torn = lagging.copy()
        torn.setSegment(1, Array(torn.segment()[..<(torn.dataEnd() - 5)]))
        try append(machine, anchors, 3...6)
        #expect(try refusal(lagging, anchors)?.message.contains("to seq 7") == true)
        #expect(try refusal(torn, anchors)?.message.contains("to seq 6") == true)
    }

    @Test("a copy that is behind is told of, and both copies written is an alarm at the one that gets as far")
    func fork() throws {
        let machine = try SimulatedMachine(count: 3)
        let anchors = MemoryAnchors("/one")
        try append(machine, anchors, 1...2)
        let copy = machine.copy()
        try append(machine, anchors, 3...4)
        let other = anchors.elsewhere("/two")
        let notices = try append(copy, other, 10...10)
        #expect(notices.count == 1 && notices[0].contains("/one up to seq 8"), "\(notices)")
        // One entry more, and it has a seq that was seen with another hash.
        #expect(try append(copy, other, 11...11).count == 1)
        let error = try #require(try refusal(copy, other))
        #expect(error.code == .tampered && error.message.contains("both copies were written"), "\(error)")
    }

    @Test("an earlier HEAD put back over the longer ledger is no step back")
    func headAlone() throws {
        let machine = try SimulatedMachine(count: 3)
        let anchors = MemoryAnchors()
        try append(machine, anchors, 1...1)
        let head = machine.headBytes
        try append(machine, anchors, 2...3)
        machine.disk.setBytes(of: Layout.head, to: head)
        #expect(try refusal(machine, anchors) == nil)
    }

    @Test("an anchor that cannot be kept or read is told of once, and work goes on")
    func unusable() throws {
        let machine = try SimulatedMachine(count: 1)
        let anchors = MemoryAnchors(failure: "the folder is read-only")
        var session = try session(machine, anchors)
        for number in 1...3 {
            try session.acquire()
            try session.record(TestLedger.draft(number))
            session.release()
        }
        let notices = session.takeNotices()
        #expect(notices.count == 2 && notices.allSatisfy { $0.contains("read-only") }, "\(notices)")
        #expect(try machine.entries().count == 5)
    }

    @Test("a power cut at any operation never leaves an anchor that calls the ledger a step back", arguments: [UInt64(1), 2, 3])
    func powerCuts(seed: UInt64) throws {
        var crashes = 0
        for operation in stride(from: Int(seed), to: 3000, by: 3) {
            var settings = WriterSettings()
            settings.segmentByteCount = 4000
            let machine = try SimulatedMachine(seed: seed, count: 2, settings: settings)
            let anchors = MemoryAnchors()
            try append(machine, anchors, 1...1)
            let faulty = try machine.faulty(.at([operation: .crash(.nothing)]))
            var isDone = false
            do throws(LedgerError) {
                var session = WriterSession(faulty, machine.environment, settings, anchor: anchors)
                for round in 0..<3 {
                    try session.acquire()
                    for number in 0..<4 { try session.record(TestLedger.draft(10 * round + number, size: 300)) }
                    session.release()
                }
                isDone = session.takeNotices().isEmpty
            } catch {
                crashes += 1
            }
            for disk in machine.disk.crashImages(seed..<seed + 2) {
                let survivor = SimulatedMachine(machine, disk)
                // Each image is a future of its own, and what is adopted in one is anchored there.
                let error = try refusal(survivor, anchors.elsewhere("/ledger"))
                #expect(error == nil, "seed \(seed), operation \(operation): \(error.map { $0.message } ?? "")")
            }
            if isDone { break }
        }
        #expect(crashes > 20, "too few crashes: \(crashes)")
    }
}
