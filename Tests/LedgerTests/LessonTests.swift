import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import TestSupport
import Testing

@Suite("What the house records about an incident says what is to be learnt")
struct LessonTests {
    private static let names = ["trauma", "root_cause", "correction", "lesson"]

    private func expectLesson(_ machine: SimulatedMachine, _ action: String, besides others: Set<String>) throws {
        let entry = try #require(try machine.entries().last { $0.action == action })
        let body = try #require(try JSON(parsing: entry.body).object)
        #expect(Set(body.keys) == others.union(Self.names))
        for name in Self.names {
            let sentence = try #require(body[name]?.string)
            #expect(sentence.hasSuffix(".") && sentence.utf8.count > 20 && sentence.utf8.count < 160, "\(name)")
        }
    }

    @Test("a cut tail")
    func tailCut() throws {
        let machine = try SimulatedMachine(count: 3)
        let end = machine.dataEnd()
        machine.setSegment(1, Array(machine.segment()[..<end]) + Array("600:{\"entry\":".utf8))
        #expect(try machine.open().count == 1)
        try expectLesson(machine, "ledger.tail_cut", besides: ["segment", "offset", "bytes", "sha256", "evidence"])
    }

    @Test("a rebuilt HEAD")
    func headRebuilt() throws {
        let machine = try SimulatedMachine(count: 3)
        machine.disk.delete(Layout.head)
        #expect(try machine.openingError()?.code == .tampered)
        try expectLesson(machine, "ledger.head_rebuilt", besides: ["verified"])
    }

    @Test("a clock that stepped back")
    func clock() throws {
        let machine = try SimulatedMachine(count: 3)
        var environment = machine.environment
        environment.now = { Timestamp(microseconds: 1_700_000_000_000_000) }
        try SimulatedMachine(machine, machine.disk, environment).append(4...4)
        try expectLesson(machine, "ledger.clock_stepped_back", besides: ["from", "to", "microseconds"])
    }
}
