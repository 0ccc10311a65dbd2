import CSHA256

/// A 256-bit sealing key with its HMAC states computed once.
///
/// Whoever holds it can seal, and so forge: it is never printed.
package struct SealingKey: Sendable {
    package let id: KeyID
    /// The 32 secret bytes.
    package let bytes: [UInt8]
    let hash: KeyedHash
    /// The same states for the kernels; nil where the portable code runs.
    let states: csha256_hmac_key?

    package static let byteCount = 32
    private static let idLabel = Array("bulla/1/key-id\n".utf8)

    /// Takes exactly 32 bytes.
    package init(bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a sealing key has 32 bytes")
        self.bytes = bytes
        let labelled = Self.idLabel + bytes
        id = KeyID(Digest(sha256: labelled.span).words[0])
        hash = KeyedHash(key: bytes)
        states = SHA256Kernel.states(ofKey: bytes)
    }

    /// HMAC-SHA256 of a label that separates its use from every other, then `message`.
    package func authenticate(label: String, _ message: [UInt8]) -> Digest {
        hash.authenticate(message.span, after: Array(label.utf8))
    }
}

extension SealingKey: CustomStringConvertible {
    package var description: String { "sealing key \(id)" }
}

// A key file (FORMAT.md §2): 64 hexadecimal digits and a line feed.
extension SealingKey {
    package var fileContents: [UInt8] { Array((Hex.text(of: bytes) + "\n").utf8) }

    package static let fileByteCount = 65

    package init?(file bytes: [UInt8]) {
        guard bytes.count == Self.fileByteCount, bytes.last == 0x0A else { return nil }
        let digits = Array(bytes.dropLast())
        guard let key = Hex.bytes(of: digits.span) else { return nil }
        self.init(bytes: key)
    }

    /// The name of a key's file under `keys/`.
    package static func fileName(_ id: KeyID) -> String { "\(id).key" }

    /// The key that a file's name stands for; nil for any other name.
    package static func id(ofFile name: String) -> KeyID? {
        guard name.hasSuffix(".key") else { return nil }
        return KeyID(String(name.dropLast(4)))
    }
}
