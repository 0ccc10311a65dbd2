import DurableFiles
import Foundation
import Kernel
import TestSupport
import Testing

@Suite("Unified diffs") struct UnifiedDiffTests {
    private static let name = "agents/a/AGENT.md"

    /// Texts of few different lines, so that much is alike; some do not end with a line feed, some are empty.
    private static func text(_ random: inout SeededGenerator) -> [UInt8] {
        let lines = (0..<random.below(30)).map { _ in
            ["a", "b", "", "ä", "c d", "\\ x", "-", "+ y", "@@ -1 +1 @@"][random.below(9)]
        }
        let text = lines.joined(separator: "\n") + (random.coin() && !lines.isEmpty ? "\n" : "")
        return Array(text.utf8)
    }

    /// The same text with a few lines changed, or another one.
    private static func pair(_ random: inout SeededGenerator) -> (old: [UInt8], new: [UInt8]) {
        let old = text(&random)
        guard random.coin() else { return (old, text(&random)) }
        var lines = old.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        for _ in 0...random.below(3) {
            let place = random.below(lines.count)
            if random.coin() { lines.insert(Array("new \(random.below(3))".utf8), at: place) } else { lines[place] += [0x21] }
        }
        return (old, Array(lines.joined(separator: [0x0A])))
    }

    @Test(
        "the difference of two texts, as text and read again, leads from one to the other",
        arguments: 1...8 as ClosedRange<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for number in 0..<300 {
            let (old, new) = Self.pair(&random)
            let diff = UnifiedDiff(from: old, to: new)
            #expect(try diff.applied(to: old) == new, "seed \(seed), \(number)")
            let text = diff.text(of: Self.name)
            #expect(text.isEmpty == (old == new), "seed \(seed), \(number)")
            guard !text.isEmpty else { continue }
            #expect(try UnifiedDiff(parsing: text, of: Self.name) == diff, "seed \(seed), \(number)")
        }
    }

    @Test(
        "the system's patch makes the same of it, and what its diff writes is read",
        .enabled(if: System.hasPatch, "diff and patch are not here: the comparison is left out"))
    func system() throws {
        var random = SeededGenerator(seed: 77)
        let directory = TemporaryDirectory()
        for number in 0..<60 {
            let (old, new) = Self.pair(&random)
            guard old != new else { continue }
            try directory.write(old, to: "old")
            try directory.write(new, to: "new")
            try directory.write(UnifiedDiff(from: old, to: new).text(of: "old"), to: "ours")
            let script = """
                cd "$1" && rm -f out && patch -s -o out old ours && cmp out new
                diff -u --label old --label old old new > theirs; true
                """
            let result = try Program("/bin/sh", ["-c", script, "sh", directory.path]).run()
            #expect(result.code == 0 && result.output.isEmpty, "seed 77, \(number): \(result)")
            let theirs = try UnifiedDiff(parsing: try directory.read("theirs"), of: "old")
            #expect(try theirs.applied(to: old) == new, "seed 77, \(number)")
        }
    }

    @Test("more changes than are counted: all goes and all comes, and it still leads there")
    func large() throws {
        let old = (0..<3000).map { "old \($0)\n" }.joined()
        let new = (0..<3000).map { "new \($0)\n" }.joined()
        let diff = UnifiedDiff(from: Array(old.utf8), to: Array(new.utf8))
        #expect(try diff.applied(to: Array(old.utf8)) == Array(new.utf8))
        #expect(diff.hunks.count == 1 && diff.added.count == 3000)
    }

    private static let heading = "--- a/\(name)\n+++ b/\(name)\n"
    /// What is no diff, and why.
    private static let malformed: [(text: String, fault: UnifiedDiffFault)] = [
        ("", .empty),
        (heading, .empty),
        (heading + "@@ -1 +1 @@\n a\n", .empty),
        ("diff --git a/x b/x\n" + heading, .heading(line: 1, "--- ")),
        ("--- a/\(name)\n@@ -1 +1 @@\n", .heading(line: 2, "+++ ")),
        ("--- a/other/AGENT.md\n+++ b/\(name)\n", .otherFile(line: 1, "a/other/AGENT.md", name)),
        ("--- a/\(name)\n+++ b/other/AGENT.md\n", .otherFile(line: 2, "b/other/AGENT.md", name)),
        ("--- /dev/null\n+++ b/\(name)\n", .otherFile(line: 1, "/dev/null", name)),
        (heading + "@@ -1 +1 @@\n-a\n+b", .cut(line: 5)),
        (heading + "@@ -1 +1 @\n-a\n+b\n", .hunkHeading(line: 3)),
        (heading + "@@ -0 +1 @@\n-a\n+b\n", .hunkHeading(line: 3)),
        (heading + "@@ -01 +1 @@\n-a\n+b\n", .hunkHeading(line: 3)),
        (heading + "@@ -1,9999999999 +1 @@\n-a\n+b\n", .hunkHeading(line: 3)),
        (heading + "@@ -1,0 +0,0 @@\n", .hunkHeading(line: 3)),
        (heading + "@@ -1,2 +1 @@\n-a\n+b\n", .counts(line: 3)),
        (heading + "@@ -1 +1,2 @@\n-a\n+b\n-c\n", .counts(line: 3)),
        (heading + "@@ -1 +1 @@\n-a\n+b\n+c\n", .hunkHeading(line: 6)),
        (heading + "@@ -1 +1 @@\n-a\n?b\n", .line(5)),
        (heading + "@@ -1,2 +1,2 @@\n-a\n\n+b\n", .line(5)),
        (heading + "@@ -1 +1 @@\n-a\n\\ No newline\n+b\n", .line(5)),
    ]

    @Test("what is no diff of this file is refused with its place", arguments: malformed.indices)
    func refused(index: Int) {
        let (text, fault) = Self.malformed[index]
        #expect(throws: fault) { try UnifiedDiff(parsing: Array(text.utf8), of: Self.name) }
    }

    /// Diffs that cannot be applied to "a\nb\nc\n".
    private static let misfits: [(text: String, fault: UnifiedDiffFault)] = [
        ("@@ -1 +1 @@\n-x\n+y\n", .mismatch(line: 1)),
        ("@@ -2 +2 @@\n-a\n+y\n", .mismatch(line: 2)),
        ("@@ -1,2 +1,2 @@\n-a\n x\n+y\n", .mismatch(line: 2)),
        ("@@ -3,2 +3,2 @@\n-c\n d\n+y\n", .mismatch(line: 4)),
        ("@@ -9 +9 @@\n-a\n+y\n", .place("@@ -9 +9 @@")),
        ("@@ -1 +2 @@\n-a\n+y\n", .place("@@ -1 +2 @@")),
        ("@@ -2 +2 @@\n-b\n+y\n@@ -1 +1 @@\n-a\n+y\n", .place("@@ -1 +1 @@")),
        ("@@ -3 +3 @@\n-c\n\\ No newline at end of file\n+y\n", .mismatch(line: 3)),
        ("@@ -1 +1 @@\n-a\n+y\n\\ No newline at end of file\n", .joined(line: 1)),
    ]

    @Test("a diff that does not fit exactly is not applied", arguments: misfits.indices)
    func misfit(index: Int) throws {
        let (text, fault) = Self.misfits[index]
        let diff = try UnifiedDiff(parsing: Array((Self.heading + text).utf8), of: Self.name)
        #expect(throws: fault) { try diff.applied(to: Array("a\nb\nc\n".utf8)) }
    }

    private enum System {
        static let hasPatch =
            (try? Program("/bin/sh", ["-c", "command -v patch && command -v diff && command -v cmp"]).run().code) == 0
    }
}
