import DurableFiles
import Lanes
import Testing

@Suite("Lanes: trees") struct TreeTests {
    @Test(
        "patterns that mean a path in common, and those that do not",
        arguments: [
            ("src/api", "src/apiary", false), ("src/api", "src/api/x.swift", true), ("src/api", "src", true),
            ("src/api/", "./src//api", true), ("src/*", "src/api", true), ("src/*", "src/api/x", false),
            ("src/**", "src/api/x", true), ("src/**/test", "src/a/b/test", true), ("src/**/test", "src/test", true),
            ("src/**/test", "lib/test", false), ("a/*/c", "a/b/c", true), ("a/*/c", "a/b/d", false),
            ("a/?", "a/bb", false), ("a/?b", "a/bb", true), ("a*b*c", "abc", true), ("a*b*c", "acb", false),
            ("*a", "b*", true), ("*a", "*b", false), ("**", "x", true), (".", "x/y", true), ("**/a", "**/b", true),
            ("**/a*", "**/b*", false), ("x/[id].ts", "x/i.ts", false), ("é", "e\u{301}", false), ("A", "a", false),
        ])
    func pairs(one: String, other: String, meets: Bool) throws {
        let (one, other) = (try Glob(one), try Glob(other))
        #expect(one.meets(other) == meets && other.meets(one) == meets)
    }

    @Test("what is no pattern is refused", arguments: [("", GlobError.empty), ("a/../b", .parent), ("a\nb", .control)])
    func refused(text: String, error: GlobError) {
        #expect(throws: error) { try Glob(text) }
    }

    @Test("a pattern that is too long is refused") func long() throws {
        _ = try Glob(String(repeating: "a", count: Glob.byteCountMax))
        #expect(throws: GlobError.long) { try Glob(String(repeating: "a", count: Glob.byteCountMax + 1)) }
    }

    @Test("no pattern at all means everything, and the pair that meets is named") func everything() throws {
        let api = Tree([try Glob("docs"), try Glob("src/api")])
        #expect(Tree.everything.meeting(Tree.everything) != nil && Tree.everything.meeting(api) != nil)
        let meeting = try #require(api.meeting(Tree([try Glob("lib"), try Glob("src/**")])))
        #expect(meeting.own.text == "src/api" && meeting.other.text == "src/**")
        #expect(api.meeting(Tree([try Glob("src/apiary")])) == nil)
    }

    @Test("whether two patterns meet is what all short paths say", arguments: 1...40 as ClosedRange<UInt64>)
    func bruteForce(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<20 {
            let (one, other) = (Self.pattern(&random), Self.pattern(&random))
            let (left, right) = (Naive(one), Naive(other))
            let common = Self.paths.first { left.matches($0) && right.matches($0) }
            #expect(
                try Glob(one).meets(Glob(other)) == (common != nil),
                "seed \(seed): \(one) and \(other): \(common.map { "\($0.map { Self.words[$0] })" } ?? "no path")")
        }
    }

    /// At most three components of at most two symbols each.
    private static func pattern(_ random: inout SeededGenerator) -> String {
        (0...random.below(3)).map { _ in
            if random.below(4) == 0 { return "**" }
            let component = (0...random.below(2)).map { _ in ["a", "b", "*", "?"][random.below(4)] }.joined()
            return component == "**" ? "*" : component
        }.joined(separator: "/")
    }

    /// If two such components mean a word in common, it is one of these.
    private static let words = ["a", "b", "aa", "ab", "ba", "bb"]

    /// If two such patterns mean a path in common, they mean one of these: at most three components of one, and two of the other below.
    private static let paths: [[Int]] = {
        var (all, last): ([[Int]], [[Int]]) = ([], [[]])
        for _ in 1...5 {
            last = last.flatMap { path in words.indices.map { path + [$0] } }
            all += last
        }
        return all
    }()

    /// What is written about patterns, naively.
    private struct Naive {
        /// Which words each component means; nil for `**`.
        let components: [[Bool]?]
        let isOpen: Bool

        init(_ pattern: String) {
            let parts = pattern.split(separator: "/").map(String.init)
            components = parts.map { part in
                part == "**" ? nil : words.map { TreeTests.means(Array(part)[...], Array($0)[...]) }
            }
            isOpen = !(parts.last ?? "").contains { "*?".contains($0) }
        }

        func matches(_ path: [Int]) -> Bool { matches(0, path, 0) }

        private func matches(_ index: Int, _ path: [Int], _ place: Int) -> Bool {
            guard index < components.count else { return place == path.count || isOpen }
            guard let component = components[index] else {
                return matches(index + 1, path, place) || place < path.count && matches(index, path, place + 1)
            }
            return place < path.count && component[path[place]] && matches(index + 1, path, place + 1)
        }
    }

    private static func means(_ pattern: ArraySlice<Character>, _ word: ArraySlice<Character>) -> Bool {
        guard let first = pattern.first else { return word.isEmpty }
        if first == "*" {
            return means(pattern.dropFirst(), word) || !word.isEmpty && means(pattern, word.dropFirst())
        }
        guard let character = word.first, first == "?" || first == character else { return false }
        return means(pattern.dropFirst(), word.dropFirst())
    }
}
