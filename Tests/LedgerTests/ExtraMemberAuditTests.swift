import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("An audit that allows members that format 1 does not know")
struct ExtraMemberAuditTests {
    @Test("finds them in every piece of a large ledger, and does so only when it is told to", arguments: [1, 2])
    func audit(threadCount: Int) async throws {
        let machine = try SimulatedMachine(count: 2)
        let key = try machine.key()
        var tip = try machine.tip()
        var bytes = Array(machine.segment()[..<machine.dataEnd()])
        let firstExtra = bytes.count
        let pad = String(decoding: [UInt8](repeating: 0x78, count: 900_000), as: UTF8.self)
        // Two pieces and more, each with such entries.
        for number in 0..<24 {
            let forge = Forge(after: tip) { forge in
                if number % 6 != 0 { forge.body = "{\"pad\":\"\(pad)\"}" }
                if number % 6 == 0 { forge.more = #","w":{"x":1}"# }
            }
            bytes += forge.frame(key)
            (tip.seq, tip.hash, tip.synced) = (tip.seq + 1, forge.seal(key).hash, tip.seq)
        }
        machine.setSegment(1, bytes)
        let head = Head(alert: false, end: bytes.count, segment: 1, tip: tip).sealed(with: key)
        machine.disk.setBytes(of: Layout.head, to: head)
        let allowing = try await machine.audit {
            $0.threadCount = threadCount
            $0.allowsExtraMembers = true
        }
        #expect(allowing.verdict == .intact && allowing.tip?.seq == tip.seq && allowing.entryCount == tip.seq)
        let strict = try await machine.audit { $0.threadCount = threadCount }
        #expect(strict.verdict == .tampered && strict.place == Place(segment: 1, offset: firstExtra, seq: 4))
    }
}
