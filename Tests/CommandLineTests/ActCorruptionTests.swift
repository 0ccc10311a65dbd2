import DurableFiles
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("A byte of a signed act is changed, by somebody without any key")
struct ActCorruptionTests {
    /// A ledger whose last entry, in a segment of its own, is an act.
    private struct House {
        let ledger: CommandLedger
        /// The act's segment.
        let file: String
        let bytes: [UInt8]
        /// What both verifiers must say.
        let line: String

        init() throws {
            var roster = ActorRoster()
            var chain = ForgedChain(founders: [TestActors.ada, TestActors.bob], threshold: 1, in: &roster)
            chain.act(chain.addition(of: TestActors.eve, by: [TestActors.ada], roster), in: &roster)
            ledger = try CommandLedger(chain, keys: [0])
            let place = chain.entries[1].start
            file = "ledger/" + place.segmentName
            bytes = try ledger.read(file)
            line = "tampered: \(place)"
        }
    }

    @Test("each byte of the request's time, through both verifiers")
    func time() throws {
        let house = try House()
        try house.ledger.expectIntact(seq: 2)
        let label = Array("\"expires\":\"".utf8)
        let start = try #require(house.bytes.indices.first { house.bytes[$0...].starts(with: label) }) + label.count
        for offset in start..<start + Timestamp.byteCount where house.bytes[offset] != UInt8(ascii: "9") {
            var changed = house.bytes
            changed[offset] = UInt8(ascii: "9")
            try house.ledger.overwrite(house.file, changed)
            let verdict = try house.ledger.agreedVerdict()
            #expect(verdict.code == 10 && verdict.line.hasPrefix(house.line), "byte \(offset): \(verdict)")
        }
    }

    @Test("400 bytes of the whole entry, through the independent verifier", arguments: [UInt64(5)])
    func judge(seed: UInt64) throws {
        let house = try House()
        var generator = SeededGenerator(seed: seed)
        let others = Array("0159afz\"{}[]:,-.eT\\ ".utf8)
        let changes = (0..<400).map { _ in
            let offset = Int.random(in: 0..<house.bytes.count, using: &generator)
            let other = others.filter { $0 != house.bytes[offset] }.randomElement(using: &generator) ?? 0
            return (offset, other)
        }
        // One process for all: the verifier is a module, too.
        let script = """
            import importlib.util, sys
            spec = importlib.util.spec_from_file_location("judge", sys.argv[3])
            judge = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(judge)
            file = sys.argv[1] + "/" + sys.argv[2]
            good = open(file, "rb").read()
            for line in sys.stdin:
                offset, other = map(int, line.split())
                bad = bytearray(good)
                bad[offset] = other
                with open(file, "r+b") as f:
                    f.write(bad)
                verdict, code, place, _ = judge.verify(sys.argv[1], None)
                print("%s: segment %s, offset %d, seq %d" % ((verdict,) + place))
            """
        let judge = Program.python(script, house.ledger.path, house.file, Program.repository + "/tools/verify_ledger.py")
        let input = changes.map { "\($0.0) \($0.1)\n" }.joined()
        let result = try judge.run(input: Array(input.utf8), environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        let output = result.output.split(separator: "\n")
        try #require(output.count == changes.count, "\(result.error)")
        for (change, line) in zip(changes, output) { #expect(line == house.line, "byte \(change.0) is now \(change.1)") }
    }
}
