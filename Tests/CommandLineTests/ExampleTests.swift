import Foundation
import TestSupport
import Testing

@Suite("The example of the README")
struct ExampleTests {
    @Test("it runs as it says, and what it leaves is intact for the independent verifier too")
    func runs() throws {
        let directory = TemporaryDirectory()
        let program = URL(fileURLWithPath: Program.bullaPath).deletingLastPathComponent().appendingPathComponent("Example").path
        let result = try Program("/usr/bin/env", ["timeout", "-s", "KILL", "60", program, directory.path("L")]).run()
        #expect(result.code == 0, "\(result.error)")
        let lines = result.output.split(separator: "\n").map(String.init)
        try #require(lines.count == 5, "\(lines)")
        #expect(lines[0].hasPrefix("recorded: bulla-receipt-v1/"))
        #expect(
            lines[1...3] == [
                "deployed 1.2 after 1.1: 3", "not deployed 1.3: two deployments a day are enough",
                "now 1.2 runs, after 2 deployments",
            ])
        #expect(lines[4].hasPrefix("intact: ") && lines[4].hasSuffix(", seq 3"))
        let judged = try Program.judge([directory.path("L")]).run()
        #expect(judged.code == 0 && judged.output.hasPrefix(lines[4]))
    }
}
