import CanonicalJSON
import DurableFiles
import Foundation
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Every single-bit flip is found at its entry")
struct BitFlipTests {
    private static let entryCount = 20

    /// The entry that a byte belongs to, counted from 1, and where it starts.
    private static func entry(at byte: Int, _ ends: [Int]) -> (seq: Int, start: Int) {
        let index = ends.firstIndex { byte < $0 } ?? 0
        return (index + 1, index == 0 ? 0 : ends[index - 1])
    }

    @Test("300 sampled flips, through `bulla verify`", arguments: [UInt64(1), 2])
    func bulla(seed: UInt64) throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: Self.entryCount, ends: &ends)
        let bytes = try ledger.read(CommandLedger.firstSegment)
        var generator = SeededGenerator(seed: seed)
        let bits = (0..<150).map { _ in Int.random(in: 0..<bytes.count * 8, using: &generator) }
        // One process a flip, all from one script: a flip is made, judged and undone.
        let flips = bits.map { bit in
            String(format: "\\%03o", Int(bytes[bit / 8] ^ (1 << (bit % 8))))
                + String(format: " \\%03o %d\n", Int(bytes[bit / 8]), bit / 8)
        }.joined()
        let script = """
            while read -r new old offset; do
                printf "$new" | dd of="$1/\(CommandLedger.firstSegment)" bs=1 seek="$offset" conv=notrunc status=none
                said=$("$BULLA" verify --ledger "$1"); code=$?
                printf '%s\n%s\n' "${said%%
            *}" "$code"
                printf "$old" | dd of="$1/\(CommandLedger.firstSegment)" bs=1 seek="$offset" conv=notrunc status=none
            done
            """
        let output = try Program.shell(script, ledger.path).run(input: Array(flips.utf8)).output.split(separator: "\n")
        #expect(output.count == 2 * bits.count)
        for (index, bit) in bits.enumerated() where output.count == 2 * bits.count {
            let (seq, start) = Self.entry(at: bit / 8, ends)
            let verdict = Verdict(String(output[2 * index]), Int32(output[2 * index + 1]) ?? -1)
            #expect(verdict == .tampered(offset: start, seq: seq), "bit \(bit)")
        }
        #expect(try ledger.verdict() == .intact(offset: ends[Self.entryCount - 1], seq: Self.entryCount))
    }

    @Test(
        "500 sampled flips, and every byte's highest bit in two entries, through the independent verifier", arguments: [UInt64(3)]
    )
    func judge(seed: UInt64) throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: Self.entryCount, ends: &ends)
        let size = try ledger.read(CommandLedger.firstSegment).count
        var generator = SeededGenerator(seed: seed)
        var bits = (0..<500).map { _ in Int.random(in: 0..<size * 8, using: &generator) }
        bits += (ends[0]..<ends[2]).map { $0 * 8 + 7 }
        // One process for all: the verifier is a module, too.
        let script = """
            import importlib.util, sys
            spec = importlib.util.spec_from_file_location("judge", sys.argv[2])
            judge = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(judge)
            file = sys.argv[1] + "/\(CommandLedger.firstSegment)"
            good = open(file, "rb").read()
            for line in sys.stdin:
                bit = int(line)
                bad = bytearray(good)
                bad[bit // 8] ^= 1 << bit % 8
                with open(file, "r+b") as f:
                    f.write(bad)
                verdict, code, place, _ = judge.verify(sys.argv[1], None)
                print("%s: segment %s, offset %d, seq %d" % ((verdict,) + place), code, sep="|")
            """
        let judge = Program.python(script, ledger.path, Program.repository + "/tools/verify_ledger.py")
        let result = try judge.run(
            input: Array(bits.map { "\($0)\n" }.joined().utf8), environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        let output = result.output.split(separator: "\n")
        try #require(output.count == bits.count, "\(result.error)")
        for (bit, line) in zip(bits, output) {
            let (seq, start) = Self.entry(at: bit / 8, ends)
            let parts = line.split(separator: "|").map(String.init)
            #expect(Verdict(parts[0], Int32(parts[1]) ?? -1) == .tampered(offset: start, seq: seq), "bit \(bit)")
        }
    }

    @Test("every bit of HEAD and of the key file, through both verifiers in samples", arguments: [UInt64(4)])
    func otherFiles(seed: UInt64) throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: 5, ends: &ends)
        var generator = SeededGenerator(seed: seed)
        let keyFile = try ledger.keyFile
        for (file, expected) in [
            ("HEAD", Verdict.headless(seq: 5)),
            (keyFile, Verdict("unverifiable: segment 00000000000000000001.frames, offset \(ends[4]), seq 5", 11)),
        ] {
            let bytes = try ledger.read(file)
            for _ in 0..<25 {
                let bit = Int.random(in: 0..<bytes.count * 8, using: &generator)
                var flipped = bytes
                flipped[bit / 8] ^= 1 << UInt8(bit % 8)
                try ledger.overwrite(file, flipped)
                #expect(try ledger.agreedVerdict() == expected, "bit \(bit) of \(file)")
            }
            try ledger.overwrite(file, bytes)
        }
    }
}

@Suite("The ledger truncated at every byte of its last three frames")
struct TruncationTests {
    enum HeadState: String, CaseIterable, Sendable { case valid, old, empty, missing }

    private static let entryCount = 8

    /// FORMAT.md §6 for a ledger cut at `size`, with HEAD at the end, at entry 5, or none.
    static func expected(_ size: Int, _ head: HeadState, _ ends: [Int]) -> Verdict {
        let whole = ends.filter { $0 <= size }.count
        let start = whole == 0 ? 0 : ends[whole - 1]
        let isWhole = start == size
        switch head {
        case .valid:
            return size == ends.last ? .intact(offset: size, seq: whole) : .tampered(offset: start, seq: whole + 1)
        case .old:
            return isWhole ? .intact(offset: size, seq: whole) : .torn(offset: start, seq: whole + 1)
        case .empty, .missing:
            return isWhole ? .headless(seq: whole) : .tampered(offset: start, seq: whole + 1)
        }
    }

    private static func head(_ state: HeadState, _ ends: [Int]) -> [UInt8]? {
        switch state {
        case .valid:
            Head(alert: false, end: ends[entryCount - 1], segment: 1, tip: TestLedger.frames(count: entryCount).tip)
                .sealed(with: TestLedger.key)
        case .old: Head(alert: false, end: ends[4], segment: 1, tip: TestLedger.frames(count: 5).tip).sealed(with: TestLedger.key)
        case .empty: []
        case .missing: nil
        }
    }

    @Test("every cut, in process", arguments: HeadState.allCases)
    func everyCut(state: HeadState) async throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: Self.entryCount, ends: &ends)
        let bytes = try ledger.read(CommandLedger.firstSegment)
        if let head = Self.head(state, ends) {
            try ledger.overwrite("HEAD", head)
        } else {
            try ledger.directory.remove(ledger.name("HEAD"))
        }
        let storage = try POSIXStorage(path: ledger.path)
        for size in stride(from: bytes.count, through: ends[Self.entryCount - 4], by: -1) {
            try #require(truncate(ledger.path + "/" + CommandLedger.firstSegment, size) == 0)
            let report = try await Audit(TestLedger.environment()).run(storage)
            let line = "\(report.verdict.rawValue): \(report.place)"
            #expect(Verdict(line, report.exitCode) == Self.expected(size, state, ends), "cut at \(size)")
        }
    }

    @Test("sampled cuts, through both programs, and what the next writer does", arguments: HeadState.allCases)
    func sampledCuts(state: HeadState) throws {
        var ends: [Int] = []
        let ledger = try CommandLedger(same: Self.entryCount, ends: &ends)
        if let head = Self.head(state, ends) {
            try ledger.overwrite("HEAD", head)
        } else {
            try ledger.directory.remove(ledger.name("HEAD"))
        }
        try ledger.backUp(as: "whole")
        let (last, third) = (ends[Self.entryCount - 1], ends[Self.entryCount - 4])
        var generator = SeededGenerator(seed: UInt64(HeadState.allCases.firstIndex(of: state) ?? 0))
        let sizes =
            [last, last - 1, ends[6], ends[6] + 1, ends[5], ends[5] - 1, third, third + 1, third + 4]
            + (0..<6).map { _ in Int.random(in: third..<last, using: &generator) }
        for size in sizes {
            try ledger.restore(from: "whole")
            try #require(truncate(ledger.path + "/" + CommandLedger.firstSegment, size) == 0)
            let verdict = try ledger.agreedVerdict()
            #expect(verdict == Self.expected(size, state, ends), "cut at \(size)")
            let before = try ledger.read(CommandLedger.firstSegment)
            let next = try ledger.append()
            if verdict.code == 0 {
                #expect(next.code == 0, "\(next.error)")
                try ledger.expectIntact()
            } else {
                #expect(next.code == 10)
                if !verdict.line.contains("segment HEAD") { #expect(try ledger.read(CommandLedger.firstSegment) == before) }
            }
            #expect(try ledger.read(CommandLedger.firstSegment).starts(with: before.prefix(ends[Self.entryCount - 4])))
        }
    }
}
