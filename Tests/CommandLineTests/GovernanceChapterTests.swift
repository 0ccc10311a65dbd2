import Foundation
import TestSupport
import Testing

/// Runs chapters of the README as they stand there: what is shown behind a command is what it prints.
@Suite("The governance chapters of the README")
struct GovernanceChapterTests {
    private struct Step {
        var command: String
        var lines: [String] = []
    }

    private static func steps(of chapter: String) throws -> [Step] {
        let readme = try String(contentsOfFile: Program.repository + "/README.md", encoding: .utf8)
        let start = try #require(readme.range(of: "\n## \(chapter)\n")).upperBound
        let end = readme[start...].range(of: "\n## ")?.lowerBound ?? readme.endIndex
        var steps: [Step] = []
        for line in readme[start..<end].split(separator: "\n") where line.hasPrefix("    ") {
            let text = String(line.dropFirst(4))
            if text.hasPrefix("$ ") {
                steps.append(Step(command: String(text.dropFirst(2))))
            } else {
                try #require(!steps.isEmpty, "the chapter shows something before its first command")
                steps[steps.count - 1].lines.append(text)
            }
        }
        return steps
    }

    /// Whether a line is the one that is shown, where … stands for anything.
    private static func fits(_ line: String, _ shown: String) -> Bool {
        var rest = line[...]
        let pieces = shown.components(separatedBy: "…")
        guard rest.hasPrefix(pieces[0]) else { return false }
        rest = rest.dropFirst(pieces[0].count)
        for piece in pieces.dropFirst() {
            guard let found = piece.isEmpty ? rest.endIndex..<rest.endIndex : rest.range(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.isEmpty
    }

    @Test(
        "from init --associate through a tampered byte, the locked house and the repair to the signed release; then handbooks that learn"
    )
    func runs() throws {
        let chapters = try ["A house with people", "Handbooks that learn"].map { try Self.steps(of: $0) }
        #expect(chapters.allSatisfy { $0.count > 10 })
        let steps = chapters.flatMap(\.self)
        let directory = TemporaryDirectory()
        for step in steps {
            let command = "set -o pipefail; bulla() { timeout -s KILL 60 \"$BULLA\" \"$@\"; }\n" + step.command
            let result = try Program(
                "/usr/bin/env", ["-u", "BULLA_DIR", "BULLA=" + Program.bullaPath, "bash", "-c", "{ \(command)\n} 2>&1"]
            ).run(in: directory.path(""))
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.count == step.lines.count, "\(step.command)\n\(result.output)")
            for (line, shown) in zip(lines, step.lines) { #expect(Self.fits(line, shown), "\(step.command)\n\(line)\n\(shown)") }
        }
        let judged = try Program.judge([directory.path(".bulla")]).run()
        #expect(judged.code == 0 && judged.output.hasPrefix("intact: "), "\(judged)")
    }
}
