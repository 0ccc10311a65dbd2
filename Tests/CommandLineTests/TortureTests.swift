import Foundation
import TestSupport
import Testing

@Suite("The torture suite: a fault that never happened fails the run")
struct TortureTests {
    private static let faults = [
        "power cut", "kill", "failed sync", "failed call", "short write", "write lost or torn", "cut lost", "name lost",
        "torn tail", "roll", "repeated id", "sector misdirected",
    ]

    /// The end of a run that has come to this case, with these faults, and has no time left.
    private func end(at next: Int, _ faults: [String]) throws -> Program.Result {
        let directory = TemporaryDirectory()
        let fired = faults.map { "\"\($0)\":1" }.joined(separator: ",")
        let stage = #"{"caseCount":"200000","done":\#(next),"failures":[],"fired":{\#(fired)},"next":\#(next),"seconds":1}"#
        try directory.write(Array(#"{"level":"test","seed":"1","stages":{"schedules":\#(stage)}}"#.utf8), to: "seed-1.json")
        let torture = URL(fileURLWithPath: Program.bullaPath).deletingLastPathComponent().path + "/Torture"
        return try Program(
            torture, ["--stage", "schedules", "--seed", "1", "--minutes", "0", "--state", directory.path("")]
        ).run()
    }

    @Test("also where the stage did a small part of its cases, but enough of them; before that it is said")
    func silent() throws {
        let whole = try end(at: 2000, Self.faults)
        #expect(whole.code == 0 && whole.output.contains("no promise was broken"), "\(whole.output) \(whole.error)")
        for fault in Self.faults {
            let rest = Self.faults.filter { $0 != fault }
            let due = try end(at: 2000, rest)
            #expect(due.code == 1 && due.output.contains("schedules: FAILED: no \(fault) ever happened"), "\(due.output)")
            let early = try end(at: 1999, rest)
            #expect(
                early.code == 0 && early.output.contains("schedules: too short to say more of: no \(fault)\n"), "\(early.output)")
        }
        let none = try end(at: 0, [])
        #expect(none.code == 1 && none.output.contains("no case ever happened"), "\(none.output)")
    }
}
