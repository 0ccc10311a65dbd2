import CanonicalJSON
import LedgerFormat
import TestSupport

/// Any bytes of a file HEAD: what is accepted is what a holder of the key writes, to the byte.
enum HeadProperties {
    private static let key = TestLedger.key
    private static let keys = [key.id: key]
    private static let otherKey = SealingKey(bytes: [UInt8](repeating: 7, count: SealingKey.byteCount))

    private static func read(_ bytes: [UInt8], _ keys: [KeyID: SealingKey]) -> Result<Head, HeadFault> {
        Result { () throws(HeadFault) in try Head(file: bytes, keys: keys) }
    }

    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        let form = read(input, [:])
        let found = read(input, keys)
        switch form {
        case .failure(let fault):
            try hold(found == form, "the key changes a verdict on the form")
            try hold((fault == .missing) == input.isEmpty && fault != .mac, "refused for \(fault)")
        case .success(let head):
            try hold(CanonicalScanner.firstFault(in: input.span) == nil, "what is accepted is not canonical")
            try hold(input.count <= Head.byteCountMax, "what is accepted is too long")
            try sealing(head, input, found)
        }
    }

    private static func sealing(_ head: Head, _ input: [UInt8], _ found: Result<Head, HeadFault>) throws(BrokenProperty) {
        let sealed = head.sealed(with: key)
        let isOurs = head.key == key.id
        try hold(found == (isOurs && sealed != input ? .failure(.mac) : .success(head)), "with the key it is \(found)")
        // The same HEAD under the right seal is accepted, reads as itself, and differs in nothing but the digits of the MAC.
        try hold(read(sealed, keys) == .success(head), "a sealed HEAD reads as another")
        try hold(sealed.count == input.count, "a MAC changes the length")
        let differing = sealed.indices.filter { sealed[$0] != input[$0] }
        try hold((differing.last ?? 0) - (differing.first ?? 0) < 64, "more than the MAC differs")
        var alert = head
        alert.alert.toggle()
        try hold(read(alert.sealed(with: key), keys) == .success(alert), "the alert cannot be raised or lowered")
        try hold(alert.mac(key) != head.mac(key), "the MAC does not cover the alert")
        try hold(!isOurs || read(head.sealed(with: otherKey), keys) == .failure(.mac), "another key's MAC is accepted")
    }

    static let seeds: [[UInt8]] = {
        let (bytes, tip, _) = TestLedger.frames(count: 3)
        var head = Head(alert: false, end: bytes.count, segment: 1, tip: tip)
        var seeds = [head.sealed(with: key), head.sealed(with: otherKey)]
        head.alert = true
        head.end = Int(Limits.seq)
        head.segment = Limits.seq
        head.seq = Limits.seq
        seeds.append(head.sealed(with: key))
        head.key = otherKey.id
        seeds.append(head.sealed(with: otherKey))
        return seeds + [
            [], Array("{}".utf8), Array(seeds[0].dropLast()), seeds[0] + [0x0A], seeds[0].map { $0 == 0x2C ? 0x20 : $0 },
        ]
    }()

    static let words = [
        "\"alert\":", "\"end\":", "\"key\":\"", "\"ledger\":\"", "\"mac\":\"", "\"segment\":", "\"seq\":", "\"tip\":\"",
        "\"v\":1}", "true",
        "false", "9007199254740991", "9007199254740992", "1e3", "0", "-1", "\\u0061",
    ]
}
