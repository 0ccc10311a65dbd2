import DurableFiles
import Foundation
import Ledger
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
}
