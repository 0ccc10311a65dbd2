import DurableFiles
import Foundation
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("A backup while segments leave the ledger, and while it is replaced")
struct BackupOvertakenTests {
    /// Three segments.
    private func source(in directory: TemporaryDirectory) throws -> POSIXStorage {
        var chain = ForgedChain()
        for _ in 0..<2 {
            for _ in 0..<3 { chain.append() }
            chain.roll()
        }
        chain.append()
        let key = ForgedChain.keys[0]
        try chain.write(to: directory, name: "L", keys: [key], head: chain.head().sealed(with: key))
        return try POSIXStorage(path: directory.path("L"))
    }

    /// Changes the ledger when the first piece was copied; what the backup is refused with.
    private func refusal(_ change: @escaping @Sendable (TemporaryDirectory) -> Void) async throws -> LedgerError? {
        let directory = TemporaryDirectory()
        let source = try source(in: directory)
        let target = try POSIXStorage(constructing: directory.path("B"), random: 1)
        let once = Once()
        var backup = Backup(TestLedger.environment())
        backup.progress = { _, _ in if once.isFirst { change(directory) } }
        var error: LedgerError?
        do throws(LedgerError) { _ = try await backup.run(from: source, to: target) } catch let found { error = found }
        #expect(!FileManager.default.fileExists(atPath: directory.path("B")), "nothing is published")
        return error
    }

    @Test("segments that were archived meanwhile: overtaken, and it can be tried again")
    func archived() async throws {
        let error = try await refusal { directory in
            let segments = directory.path("L/ledger")
            let names = (try? FileManager.default.contentsOfDirectory(atPath: segments))?.sorted() ?? []
            for name in names.dropLast() { try? FileManager.default.removeItem(atPath: segments + "/" + name) }
        }
        #expect(error?.cause == .overtaken && error?.code == .inputOutput, "\(String(describing: error))")
        #expect(error?.message.contains("were archived while they were copied") == true)
    }

    @Test("another directory in the ledger's place, as a repair puts it there: nothing is backed up")
    func replaced() async throws {
        let error = try await refusal { directory in
            try? FileManager.default.moveItem(atPath: directory.path("L/ledger"), toPath: directory.path("L/before"))
            try? FileManager.default.copyItem(atPath: directory.path("L/before"), toPath: directory.path("L/ledger"))
        }
        #expect(error?.code == .inputOutput, "\(String(describing: error))")
        #expect(error?.message.contains("was repaired or replaced meanwhile") == true)
    }
}
