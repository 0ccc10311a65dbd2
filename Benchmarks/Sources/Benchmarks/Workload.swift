import Foundation

/// A ledger on the disk, and how big it was when it was made.
struct TestLedger {
    let path: String
    let entryCount: Int
    let segments: [String]
    /// Bytes of its frames, without the NULs that are preallocated behind them.
    let byteCount: Int
}

/// The data that all cases share, in a directory that is deleted at the end.
struct Workload {
    let bulla: String
    let yardstick: String
    let folder: String
    /// Ledgers from one entry to the big one, ten times as many or less at each step.
    let ladder: [TestLedger]
    /// Lines as `bulla ingest` takes them.
    let lines: (path: String, count: Int)
    /// What the ledger makes durable for these lines: the payloads of their frames, a line each.
    let payloads: String

    var big: TestLedger { ladder[ladder.count - 1] }
    var small: TestLedger { ladder[0] }
    /// The ledger of a million entries, or the biggest there is in a smoke run.
    var million: TestLedger { ladder.first { $0.entryCount == 1_000_000 } ?? big }
    /// For curves against entries.
    var byEntries: [TestLedger] { ladder.filter { $0.entryCount <= 1_000_000 } }
    /// For curves against bytes, which below a megabyte show nothing but the constant part.
    var byBytes: [TestLedger] { ladder.filter { $0.byteCount >= 1_000_000 } }

    /// About the mean size of these lines' frames; the ledger's seqs have six or seven digits.
    private static let frameByteCount = 531
    private static let sizes = [1, 10, 100, 2_000, 10_000, 50_000, 200_000, 1_000_000]

    init(bulla: String, yardstick: String, megabytes: Int, folder: String) throws {
        (self.bulla, self.yardstick, self.folder) = (bulla, yardstick, folder)
        let bigCount = megabytes * 1_000_000 / Self.frameByteCount
        ladder = try (Self.sizes.filter { $0 < bigCount } + [bigCount]).map { count in
            Progress.note("making a ledger, entries: \(Format.count(count))")
            let path = "\(folder)/ledger-\(count)"
            _ = try ChildProcess([bulla, "init", "--ledger", path]).run()
            if count > 1 {
                let lines = "\(folder)/lines"
                try Self.writeLines(count - 1, to: lines)
                _ = try ChildProcess([bulla, "ingest", "--ledger", path, lines]).run()
            }
            return try TestLedger(path: path, entryCount: count)
        }
        lines = ("\(folder)/lines", min(100_000, bigCount / 2000 * 1000))
        payloads = "\(folder)/payloads"
        try Self.writeLines(lines.count, to: lines.path)
        let list = [
            bulla, "log", "--ledger", ladder[ladder.count - 1].path, "--json", "--from", "2", "--to", "\(lines.count + 1)",
        ]
        _ = try ChildProcess(list, output: .file(payloads)).run()
    }

    private static func writeLines(_ count: Int, to path: String) throws {
        var text = ""
        text.reserveCapacity(count * 132)
        for number in 1...count { text += line(number) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    static func body(_ number: Int) -> String { #"{"n":\#(1_000_000 + number),"text":"x"}"# }

    private static func line(_ number: Int) -> String {
        #"{"action":"bench.line","actor":"process:bench","body":\#(body(number)),"#
            + #""justification":{"pillar":"integrity","reason":"bench"}}"# + "\n"
    }

    /// A path that nothing has, for a run's own files.
    func fresh(_ name: String) -> String { "\(folder)/\(name)-\(UUID().uuidString)" }

    func firstPayload() throws -> String {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: payloads))
        let start = try file.read(upToCount: 4096) ?? Data()
        return String(decoding: start.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    static func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }

    static func size(of path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }
}

extension TestLedger {
    init(path: String, entryCount: Int) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: path + "/ledger").sorted()
        let segments = names.map { "\(path)/ledger/\($0)" }
        var byteCount = try segments.map(Workload.size).reduce(0, +)
        if let last = segments.last {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: last), options: .alwaysMapped)
            byteCount -= bytes.count - (bytes.lastIndex { $0 != 0 } ?? -1) - 1
        }
        self.init(path: path, entryCount: entryCount, segments: segments, byteCount: byteCount)
    }
}
