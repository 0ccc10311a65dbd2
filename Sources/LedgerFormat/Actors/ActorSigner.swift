import Crypto

/// An actor's private key: whoever has it speaks in the actor's name, so it is never printed.
package struct ActorSigner: Sendable {
    private let seed: [UInt8]
    /// What others know of it.
    package let key: ActorKey

    package static let byteCount = 32

    /// Takes exactly 32 bytes of randomness (RFC 8032 §5.1.5).
    package init(seed: [UInt8]) {
        precondition(seed.count == Self.byteCount, "a private key has 32 bytes")
        self.seed = seed
        do {
            let publicKey = try Curve25519.Signing.PrivateKey(rawRepresentation: seed).publicKey
            key = try ActorKey(bytes: Array(publicKey.rawRepresentation))
        } catch {
            preconditionFailure("32 bytes are a private key, and its public key is sound: \(error)")
        }
    }

    func sign(_ text: [UInt8]) -> ActorSignature {
        do {
            let signature = try Curve25519.Signing.PrivateKey(rawRepresentation: seed).signature(for: text)
            return ActorSignature(bytes: Array(signature))
        } catch {
            preconditionFailure("32 bytes are a private key: \(error)")
        }
    }
}

// The file: one line, so that nobody takes a sealing key for it.
extension ActorSigner {
    private static let label = "bulla-actor-key-v1/"
    package static let fileByteCount = label.utf8.count + 2 * byteCount + 1

    package var fileContents: [UInt8] { Array("\(Self.label)\(Hex.text(of: seed))\n".utf8) }

    /// Reads a key file; nil for any other bytes.
    package init?(file bytes: [UInt8]) {
        let label = Array(Self.label.utf8)
        guard bytes.count == Self.fileByteCount, bytes.starts(with: label), bytes.last == 0x0A,
            let seed = Hex.bytes(of: Array(bytes[label.count...].dropLast()).span)
        else { return nil }
        self.init(seed: seed)
    }
}

extension ActorSigner: CustomStringConvertible {
    package var description: String { "the private key of \(key)" }
}
