import DurableFiles
import Foundation
import FuzzProperties
import TestSupport
import Testing

/// What the fuzzers check, checked without them: for seeds, for kept inputs, and for some thousand changes of both.
@Suite("Properties of the fuzzers")
struct ReplayTests {
    /// Inputs that once broke a property, kept for good.
    private static func kept(_ target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = URL(fileURLWithPath: Program.repository).appendingPathComponent("Fuzz/Regressions/\(target.rawValue)")
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }.map { ($0.lastPathComponent, Array(try Data(contentsOf: $0))) }
    }

    private func expectHolds(_ target: FuzzTarget, _ input: [UInt8], _ name: String, source: SourceLocation = #_sourceLocation) {
        do throws(BrokenProperty) {
            try target.check(input)
        } catch {
            Issue.record("\(target.rawValue), \(name): \(error)", sourceLocation: source)
        }
    }

    @Test("hold for every seed", arguments: FuzzTarget.allCases)
    func seeds(target: FuzzTarget) {
        for (number, seed) in target.seeds.enumerated() { expectHolds(target, seed, "seed \(number)") }
        #expect(target.seeds.count > 5 && !target.dictionary.isEmpty)
        #expect(target.seeds.allSatisfy { $0.count <= target.byteCountMax })
    }

    @Test("hold for every input that once broke one", arguments: FuzzTarget.allCases)
    func regressions(target: FuzzTarget) throws {
        for (name, bytes) in try Self.kept(target) { expectHolds(target, bytes, name) }
    }

    @Test("at least one such input is kept, so that the folder is the right one")
    func folder() throws {
        #expect(try FuzzTarget.allCases.contains { try !Self.kept($0).isEmpty })
    }

    @Test("hold for seeds that are changed, cut and spliced", arguments: FuzzTarget.allCases, 0..<4 as Range<UInt64>)
    func mutations(target: FuzzTarget, seed: UInt64) throws {
        var random = SeededGenerator(seed: seed, stream: UInt64(target.seeds.count))
        let parents = try target.seeds + Self.kept(target).map(\.bytes)
        let words = target.words.map { Array($0.utf8) }
        for number in 0..<1000 {
            var input = parents[random.below(parents.count)]
            for _ in 0...random.below(4) {
                let place = random.below(input.count + 1)
                switch random.below(6) {
                case 0: input.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
                case 1: input.insert(contentsOf: words[random.below(words.count)], at: place)
                case 2 where place < input.count: input.remove(at: place)
                case 3 where place < input.count: input[place] ^= 1 << UInt8(random.below(8))
                case 4 where place < input.count: input.removeSubrange(place..<min(input.count, place + 1 + random.below(40)))
                default:
                    let other = parents[random.below(parents.count)]
                    input = input[..<place] + other.suffix(random.below(other.count + 1))
                }
            }
            expectHolds(target, input, "seed \(seed), input \(number)")
        }
    }

    @Test("a dictionary is what libFuzzer reads: a quoted word a line, the odd bytes escaped", arguments: FuzzTarget.allCases)
    func dictionary(target: FuzzTarget) {
        for line in target.dictionary.split(separator: "\n") {
            #expect(
                line.utf8.allSatisfy { (0x20...0x7E).contains($0) } && line.hasPrefix("\"") && line.hasSuffix("\""), "\(line)")
        }
    }
}
