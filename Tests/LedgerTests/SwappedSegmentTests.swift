import DurableFiles
import Foundation
import Ledger
import LedgerFormat
import Synchronization
import TestSupport
import Testing

@Suite("A segment that is swapped while a ledger is being opened")
struct SwappedSegmentTests {
    @Test("is drift at its next opening, whatever it holds: what is cut or written is what was verified")
    func swapped() throws {
        let directory = TemporaryDirectory()
        _ = try TestLedger.write(to: directory, count: 3)
        let reader = try SegmentReader(try POSIXStorage(path: directory.path("ledger")))
        #expect(try reader.open(segment: 1).status().size > 0)
        let path = "ledger/ledger/00000000000000000001.frames"
        try directory.copy(path, to: "copy")
        try FileManager.default.moveItem(atPath: directory.path(path), toPath: directory.path("aside"))
        try FileManager.default.moveItem(atPath: directory.path("copy"), toPath: directory.path(path))
        let error = #expect(throws: StorageError.self) { try reader.open(segment: 1, .readWrite) }
        #expect(error?.kind == .drift)
        try directory.remove(path)
        try FileManager.default.moveItem(atPath: directory.path("aside"), toPath: directory.path(path))
        #expect(try reader.open(segment: 1, .readWrite).status().size > 0)
    }

    @Test("a writer that notices while it opens locks the house", arguments: 1..<20)
    func alarm(opening: Int) throws {
        let machine = try SimulatedMachine(count: 3)
        // A torn tail, so that opening has much to do with the segment.
        try machine.appendUnvouched(4...4)
        machine.setSegment(1, Array(machine.segment()[..<(machine.dataEnd() - 40)]))
        let path = SegmentReader.path(ofSegment: 1)
        let disk = machine.disk
        let count = Mutex(0)
        let storage = try machine.faulty(
            .rule { _, operation in
                guard operation.kind == .open, operation.path == path else { return nil }
                // Before this opening, and behind others, another file with the same bytes takes its place.
                if count.withLock({
                    $0 += 1; return $0
                }) == opening + 1 {
                    let bytes = disk.bytes(of: path) ?? []
                    disk.delete(path)
                    disk.put(bytes, at: path)
                }
                return nil
            })
        var session = try machine.session(storage)
        let error = ledgerError { () throws(LedgerError) in
            try session.acquire()
            _ = try session.commit([[TestLedger.draft(9, id: "nine")]])[0].get()
        }
        if session.isHolding { session.release() }
        guard count.withLock({ $0 }) > opening else { return }
        #expect(error?.code == .tampered, "\(String(describing: error))")
        #expect(try machine.openingError()?.code == .locked, "opening \(opening)")
    }
}
