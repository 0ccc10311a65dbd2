import CanonicalJSON
import DurableFiles
import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite("Several processes write at once")
struct ConcurrencyTests {
    private static let writerCount = 8
    private static let ingestCount = 4
    private static let linesPerIngest = 300
    private static let appendCount = 50

    /// One writer: appends one by one, with a batch between them now and then; its receipts go to stdout.
    private static let writer = """
        cd "$1"; me=$2; n=0
        while [ $n -lt \(ingestCount * linesPerIngest + appendCount) ]; do
            if [ $((n % 312)) = 12 ] && [ $n -lt 1250 ]; then
                seq -f "$me-%.0f" $((n + 1)) $((n + 300)) > "lines$me"
                "$BULLA" ingest --ledger L --wait 60 --raw --actor "process:$me" "lines$me" || exit
                n=$((n + 300))
            else
                n=$((n + 1))
                "$BULLA" append --ledger L --wait 60 --actor "process:$me" --action log.line --pillar integrity --reason r \
                    --body "{\\"line\\":\\"$me-$n\\"}" || exit
            fi
        done
        """

    @Test("eight processes append 10,000 entries: no gap, no fork, no duplicate, nobody starves, all receipts verify")
    func eight() throws {
        let ledger = try CommandLedger()
        let writers = try (1...Self.writerCount).map { try Program.shell(Self.writer, ledger.directory.path, String($0)).start() }
        let results = try writers.map { try $0.wait() }
        for result in results { #expect(result.code == 0 && result.error.isEmpty, "\(result.error)") }
        let perWriter = Self.ingestCount * Self.linesPerIngest + Self.appendCount
        try ledger.expectIntact(seq: 1 + Self.writerCount * perWriter)

        // Each line once, and each writer's lines in the order in which it wrote them.
        let lines = try ledger.bodies("--from", "2")
        for writer in 1...Self.writerCount {
            #expect(lines.filter { $0.hasPrefix("\(writer)-") } == (1...perWriter).map { "\(writer)-\($0)" })
        }
        // They truly took turns: most single appends stand beside another writer's entry.
        let turns = zip(lines, lines.dropFirst()).count { $0.prefix { $0 != "-" } != $1.prefix { $0 != "-" } }
        #expect(turns > Self.writerCount * Self.appendCount / 2, "\(turns) turns")

        let receipts = results.flatMap(\.receipts)
        #expect(receipts.count == Self.writerCount * (Self.ingestCount + Self.appendCount))
        #expect(Set(receipts).count == receipts.count)
        try ledger.directory.write(Array(receipts.joined(separator: "\n").utf8), to: "receipts")
        let verified = try ledger.run("verify", "--receipt", ledger.directory.path("receipts"))
        #expect(verified.code == 0 && !verified.output.contains("FAILED"))
    }

    @Test("readers beside writers never see damage, and no reader sees the end step back")
    func readers() throws {
        let ledger = try CommandLedger()
        let script = """
            for n in 1 2 3 4 5 6 7 8 9 10; do seq 1 200 | "$BULLA" ingest --ledger "$1" --wait 60 --raw --actor a:b - >/dev/null || exit
                "$BULLA" append --ledger "$1" --wait 60 --actor a:c --action x --pillar integrity --reason r --body '{}' >/dev/null || exit; done
            """
        let writers = try (0..<2).map { _ in try Program.shell(script, ledger.path).start() }
        var last = 0
        for round in 0..<15 {
            let verb = [["verify"], ["verify", "--threads", "2"], ["log", "--last", "50"]][round % 3]
            let result = try ledger.run(verb)
            #expect(result.code == 0, "\(verb): \(result.output.prefix(200)) \(result.error)")
            let judged = try ledger.judgement()
            #expect(judged.code == 0, "\(judged)")
            let seq = Int(judged.line.split(separator: " ").last ?? "") ?? 0
            #expect(seq >= last)
            last = seq
        }
        for writer in writers { #expect(try writer.wait().code == 0) }
        try ledger.expectIntact(seq: 1 + 2 * 10 * 201)
    }
}

@Suite("Writers that are killed at any moment")
struct KilledWriterTests {
    @Test(
        "appends killed at random times, in turns with batches: every acknowledged receipt verifies",
        arguments: [UInt64(1), 2, 3])
    func appends(seed: UInt64) throws {
        let ledger = try CommandLedger()
        var generator = SeededGenerator(seed: seed)
        let lines = Array((1...2000).map { "line \($0)\n" }.joined().utf8)
        var receipts: [String] = []
        var killed = 0
        // How long each takes here, so that the kills fall all over it and sometimes behind it.
        let appendTime = try duration { receipts += try ledger.append().receipts }
        let batchTime = try duration { receipts += try ledger.ingest((1...2000).map(String.init)).receipts }
        for _ in 0..<60 {
            let isBatch = Int.random(in: 0..<4, using: &generator) == 0
            let arguments =
                isBatch ? ["ingest", "--raw", "--actor", "a:b", "-"] : CommandLedger.appendArguments + ["--body", "{}"]
            let writer = try Program.bulla(arguments + ["--ledger", ledger.path]).start(input: lines)
            usleep(UInt32.random(in: 0...(isBatch ? batchTime : appendTime) * 3 / 2, using: &generator))
            writer.send(signal: SIGKILL)
            let result = try writer.wait()
            if result.code == 128 + SIGKILL { killed += 1 } else { #expect(result.code == 0, "\(result.error)") }
            receipts += result.receipts
        }
        #expect(killed > 5, "the kills hit too little: \(killed)")
        let last = try ledger.append()
        #expect(last.code == 0, "\(last.error)")
        try check(receipts + last.receipts, ledger)
    }

    @Test("two loops of writers, one of them killed again and again: the other one is not disturbed", arguments: [UInt64(4)])
    func beside(seed: UInt64) throws {
        let ledger = try CommandLedger()
        var generator = SeededGenerator(seed: seed)
        let steady = try Program.shell(
            "for n in $(seq 1 80); do \"$BULLA\" append --ledger \"$1\" --wait 60 --actor a:b --action c --pillar integrity --reason r --body '{}' || exit; done",
            ledger.path
        ).start()
        var receipts: [String] = []
        for _ in 0..<40 {
            let writer = try Program.bulla(
                CommandLedger.appendArguments + ["--body", "{}", "--wait", "60", "--ledger", ledger.path]
            ).start()
            usleep(UInt32.random(in: 0..<25_000, using: &generator))
            writer.send(signal: SIGKILL)
            receipts += try writer.wait().receipts
        }
        let result = try steady.wait()
        #expect(result.code == 0 && result.receipts.count == 80, "\(result.error)")
        try check(receipts + result.receipts, ledger)
    }

    @Test(
        "an ingest from a slow pipe, killed and begun again from its drafts' ids, records each line once",
        arguments: [UInt64(5), 6])
    func slowPipe(seed: UInt64) throws {
        let ledger = try CommandLedger()
        var generator = SeededGenerator(seed: seed)
        let count = 120
        let drafts = (1...count).map { n in
            #"{"actor":"a:b","action":"c.d","body":{"n":\#(n)},"context":{"id":"\#(n)"},"justification":{"pillar":"integrity","reason":"r"}}"#
        }
        try ledger.directory.write(Array(drafts.map { $0 + "\n" }.joined().utf8), to: "drafts")
        // Three lines at a time, each only after the ones before it were read.
        let feed = """
            cd "$1"; i=1; while [ $i -le \(count) ]; do sed -n "$i,$((i+2))p" drafts; sleep 0.002; i=$((i+3)); done \
                | { exec "$BULLA" ingest --ledger L --wait 60 -; }
            """
        for _ in 0..<8 {
            // Its own process group, so that the kill reaches the writer in the pipe.
            let pipe = try Program(
                "/usr/bin/env",
                ["setsid", "-w", "env", "BULLA=" + Program.bullaPath, "sh", "-c", feed, "sh", ledger.directory.path]
            ).start()
            usleep(UInt32.random(in: 5_000..<120_000, using: &generator))
            kill(-pipe.processID, SIGKILL)
            pipe.send(signal: SIGKILL)
            _ = try pipe.wait()
            #expect(try ledger.verdict().code == 0)
        }
        let whole = try ledger.run("ingest", ledger.directory.path("drafts"), "--wait", "60")
        #expect(whole.code == 0, "\(whole.error)")
        let numbers = try ledger.bodies("--action", "c.d")
        #expect(numbers == (1...count).map(String.init))
        try check(whole.receipts, ledger)
    }

    /// In microseconds.
    private func duration(_ body: () throws -> Void) throws -> UInt32 {
        let clock = ContinuousClock()
        let time = try clock.measure(body)
        return UInt32(time / .microseconds(1))
    }

    /// Every acknowledged receipt is in the ledger, by both verifiers' account.
    private func check(_ receipts: [String], _ ledger: CommandLedger) throws {
        try ledger.expectIntact()
        #expect(Set(receipts).count == receipts.count)
        try ledger.directory.write(Array(receipts.joined(separator: "\n").utf8), to: "receipts")
        let verified = try ledger.run("verify", "--receipt", ledger.directory.path("receipts"))
        #expect(verified.code == 0, "\(verified.output)")
        #expect(verified.output.components(separatedBy: ": holds").count == receipts.count + 1)
        // The independent verifier knows no receipts: it has found the chain whole, and the hashes stand in it.
        let text = String(decoding: try ledger.read(CommandLedger.firstSegment), as: UTF8.self)
        for receipt in receipts { #expect(text.contains("\"hash\":\"\(receipt.split(separator: "/")[3])\"")) }
    }
}
