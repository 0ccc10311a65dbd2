import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// While anybody is enrolled, each segment begins with an entry that says who; a byte too many before it moves it from that place.
@Suite("Repair: a sound entry counts wherever it stands")
struct RepairDisplacedTests {
    private static let name = "process:test"
    private static let bob = "user:bob"

    /// What somebody or something did to a segment.
    enum Displacement: String, CaseIterable {
        case byteOrderMark, letter, damagedCopy, appendedToTheOneBefore

        /// - Returns: how many bytes are there that were not.
        @discardableResult
        func apply(to segment: UInt64, of machine: SimulatedMachine) throws -> Int {
            let bytes = machine.segment(segment)
            var junk: [UInt8] = []
            switch self {
            case .byteOrderMark: junk = [0xEF, 0xBB, 0xBF]
            case .letter: junk = [UInt8(ascii: "x")]
            case .damagedCopy:
                junk = Array(bytes[...(try #require(bytes.firstIndex(of: 0x0A)))])
                junk[200] ^= 1
            case .appendedToTheOneBefore:
                let before = try #require(machine.segments.filter { $0 < segment }.max())
                machine.setSegment(before, Array(machine.segment(before)[..<machine.dataEnd(before)]) + bytes)
                machine.disk.delete(SegmentReader.path(ofSegment: segment))
                return 0
            }
            machine.setSegment(segment, junk + bytes)
            return junk.count
        }
    }

    /// Two actors were enrolled, and one of them revoked, which begins the last segment but for what follows.
    ///
    /// - Parameter count: how many entries stand behind the revocation.
    private func ledger(behindRevocation count: Int) throws -> SimulatedMachine {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 6000)
        try machine.enroll(Self.name, TestActors.ada)
        try machine.enroll(Self.bob, TestActors.bob)
        try machine.signing(TestActors.ada).append(3...12)
        try machine.revoke(Self.bob)
        try machine.signing(TestActors.ada).append(13...12 + count)
        return machine
    }

    /// Behind a repair: whole, all but these are there, and everybody is enrolled or revoked as before.
    private func expectMended(
        _ machine: SimulatedMachine, _ before: SimulatedMachine, lost: Set<UInt64>, _ note: Comment
    ) async throws {
        let report = try await machine.audit()
        #expect(report.verdict == .intact, "\(note): \(report.verdictLine)")
        let reader = EntryReader(try LedgerView(machine.storage()), machine.environment)
        for entry in try before.entries() {
            if lost.contains(entry.seq) {
                guard case .lost? = try reader.fate(of: entry.seq) else {
                    Issue.record("\(note): seq \(entry.seq) is not lost")
                    continue
                }
            } else {
                #expect(try reader.entry(entry.seq).hash == entry.hash, "\(note): seq \(entry.seq)")
            }
        }
        #expect(try machine.actors() == before.actors(), note)
        #expect(throws: LedgerError.self, note) { try machine.append(900...900) }
        try machine.signing(TestActors.ada).append(901...901)
        #expect(try await machine.audit().verdict == .intact, note)
    }

    @Test("bytes before a segment are damage, and every entry behind them comes back, proven", arguments: Displacement.allCases)
    func proven(how: Displacement) async throws {
        let before = try ledger(behindRevocation: 10)
        for segment in before.segments.sorted().dropFirst() {
            let machine = before.copy()
            let junkCount = try how.apply(to: segment, of: machine)
            let plan = try #require(try machine.repair().plan)
            let note: Comment = "\(how) at \(segment)"
            #expect(plan.lostCount == 0 && plan.survivors.unprovenCount == 0 && plan.survivors.leftOutCount == 0, note)
            #expect(plan.prefix.seq == segment - 1 && plan.damages.reduce(0) { $0 + $1.range.byteCount } == junkCount, note)
            #expect(plan.lostStatements.isEmpty && plan.strangers.isEmpty, note)
            try await expectMended(machine, before, lost: [], note)
        }
    }

    @Test(
        "with a damaged entry behind them too, only that one is lost: what it took is neither who is enrolled nor who was revoked",
        arguments: Displacement.allCases)
    func unproven(how: Displacement) async throws {
        for count in [3, 10] {
            let before = try ledger(behindRevocation: count)
            let model = try LedgerModel(before)
            for segment in before.segments.sorted().dropFirst() {
                let index = try #require(model.index(segment)) + 2
                guard index < model.frames.count, model.frames[index].segment == segment else { continue }
                let machine = before.copy()
                machine.flip(model.frames[index], at: 0.5)
                try how.apply(to: segment, of: machine)
                let plan = try #require(try machine.repair().plan)
                let note: Comment = "\(how) at \(segment), \(count) behind the revocation"
                #expect(plan.lostCount == 1 && plan.lostStatements.isEmpty, note)
                try await expectMended(machine, before, lost: [model.frames[index].seq], note)
            }
        }
    }

    @Test("a repaired ledger is displaced again, and again nothing is lost")
    func twice() async throws {
        let before = try ledger(behindRevocation: 4)
        let machine = before.copy()
        try Displacement.letter.apply(to: try #require(machine.segments.max()), of: machine)
        try machine.repair()
        let repaired = machine.copy()
        try Displacement.byteOrderMark.apply(to: try #require(machine.segments.max()), of: machine)
        let plan = try #require(try machine.repair().plan)
        #expect(plan.survivors.unprovenCount == 0)
        let report = try await machine.audit()
        #expect(report.verdict == .intact, "\(report.verdictLine)")
        let reader = EntryReader(try LedgerView(machine.storage()), machine.environment)
        for entry in try before.entries() { #expect(try reader.entry(entry.seq).hash == entry.hash) }
        #expect(try machine.actors() == repaired.actors())
    }

    @Test("the revocation itself is lost: the plan and the entry name it, unless a later segment says who is enrolled")
    func lostRevocation() async throws {
        for (count, isTold) in [(2, false), (30, true)] {
            let machine = try ledger(behindRevocation: count)
            let model = try LedgerModel(machine)
            let index = try #require(model.frames.firstIndex { $0.action == RosterStatement.revoked })
            let seq = model.frames[index].seq
            machine.flip(model.frames[index], at: 0.5)
            let plan = try #require(try machine.repair().plan)
            #expect(plan.lostStatements == (isTold ? [] : [seq]), "\(count) behind it")
            let repair = try #require(try machine.entries().last { $0.action == ChainTurn.repaired })
            let named = try JSON(parsing: repair.body)["actors_lost"]?.array?.map(\.integer)
            #expect(named == (isTold ? nil : [Int64(seq)]))
            let bob = try #require(try machine.actors().enrolments.last)
            #expect(bob.actor == Self.bob && (bob.revoked == seq) == isTold)
            #expect(try await machine.audit().verdict == .intact)
        }
    }

    @Test("the first enrolment of all is lost: what is left of its bytes says so")
    func lostEnrolment() throws {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 40_000)
        try machine.enroll(Self.name, TestActors.ada)
        let seq = try #require(machine.segments.max())
        machine.disk.flip(1, at: 300, of: SegmentReader.path(ofSegment: seq))
        let plan = try #require(try machine.repair().plan)
        #expect(plan.actors.isEmpty && plan.lostStatements == [seq])
    }
}
