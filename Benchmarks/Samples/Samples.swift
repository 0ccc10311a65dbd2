import DurableFiles
import Foundation
import Ledger
import LedgerFormat

/// Fills ledgers whose entries only verbs of the house write, far faster than by a process for each: `make bench` measures on them.
///
/// The ledger is made by `bulla init` before. One figure comes from here: what a verdict on lanes costs, for which no verb is needed.
@main
enum Samples {
    static func main() {
        let arguments = CommandLine.arguments
        if arguments.count == 3, arguments[1] == "arbitration", let leases = Int(arguments[2]), leases >= 1 {
            do { print(try Arbitration.seconds(leases: leases)) } catch { fail("samples: \(error)", 1) }
            return
        }
        guard arguments.count == 4, let sample = Sample(rawValue: arguments[1]), let count = Int(arguments[2]), count >= 1 else {
            let kinds = Sample.allCases.map(\.rawValue).joined(separator: "|")
            return fail("usage: Samples \(kinds) ENTRIES LEDGER, or Samples arbitration LEASES", 64)
        }
        do {
            try fill(arguments[3], with: sample, count: count)
        } catch {
            fail("samples: \(error)", 1)
        }
    }

    /// As many entries in a batch as `bulla ingest` takes.
    private static let batch = 1000

    private static func fill(_ path: String, with sample: Sample, count: Int) throws {
        var session = WriterSession(try POSIXStorage(path: path), .system, WriterSettings())
        try session.acquire()
        defer { session.release() }
        for start in stride(from: 0, to: count, by: batch) {
            let drafts = try (start..<min(start + batch, count)).map { [try sample.draft($0)] }
            for answer in session.commit(drafts) { _ = try answer.get() }
        }
    }

    private static func fail(_ message: String, _ code: Int32) {
        try? FileHandle.standardError.write(contentsOf: Data((message + "\n").utf8))
        exit(code)
    }
}
