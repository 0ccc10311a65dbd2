import LedgerFormat
import TestSupport
import Testing

@Suite("The sealed position of audits")
struct AuditProgressTests {
    private static let ledger = LedgerID(1, 2)

    private static func progress(pass: Bool = true, full: Bool = true) -> AuditProgress {
        var progress = AuditProgress(ledger: ledger, key: TestLedger.key.id)
        let time = Timestamp(microseconds: 1_769_860_800_000_000)
        if pass {
            let place = Place(segment: 7, offset: 1234, seq: 42)
            progress.pass = .init(began: time, goal: 90, place: place, hash: Digest(sha256: [1, 2, 3].span))
        }
        if full { progress.full = .init(seq: 5, time: time) }
        return progress
    }

    private func read(_ bytes: [UInt8], _ key: SealingKey = TestLedger.key) throws(SealedObjectFault) -> AuditProgress {
        try AuditProgress(file: bytes, ledger: Self.ledger, key: key)
    }

    @Test("what is sealed is read again", arguments: [true, false], [true, false])
    func roundTrip(pass: Bool, full: Bool) throws {
        let progress = Self.progress(pass: pass, full: full)
        let bytes = progress.sealed(with: TestLedger.key)
        #expect(bytes.count <= AuditProgress.byteCountMax)
        #expect(try read(bytes) == progress)
    }

    @Test("no byte can be changed, added or left out")
    func changed() throws {
        let bytes = Self.progress().sealed(with: TestLedger.key)
        for index in bytes.indices {
            for bit in 0..<8 as Range<UInt8> {
                var changed = bytes
                changed[index] ^= 1 << bit
                #expect(throws: SealedObjectFault.self) { try read(changed) }
            }
            var shorter = bytes
            shorter.remove(at: index)
            #expect(throws: SealedObjectFault.self) { try read(shorter) }
            #expect(throws: SealedObjectFault.self) { try read(Array(bytes[..<index])) }
        }
        #expect(throws: SealedObjectFault.form) { try read(bytes + [0x0A]) }
        #expect(throws: SealedObjectFault.form) { try read([]) }
        #expect(throws: SealedObjectFault.form) { try read([UInt8](repeating: 0x20, count: 5000)) }
    }

    @Test("another key or another ledger makes it foreign")
    func foreign() throws {
        let other = SealingKey(bytes: [UInt8](repeating: 7, count: 32))
        let bytes = Self.progress().sealed(with: TestLedger.key)
        #expect(throws: SealedObjectFault.otherKey) { try read(bytes, other) }
        // It names our key, and another has sealed it.
        #expect(throws: SealedObjectFault.mac) { try read(Self.progress().sealed(with: other)) }
        #expect(throws: SealedObjectFault.foreign) {
            try AuditProgress(file: bytes, ledger: LedgerID(3, 4), key: TestLedger.key)
        }
    }
}
