import Crypto

/// An actor's Ed25519 public key (RFC 8032): 32 bytes, the canonical spelling of a point of the large prime order.
package struct ActorKey: Sendable, Hashable {
    package let bytes: [UInt8]

    /// - Throws: what is wrong with the key.
    package init(bytes: [UInt8]) throws(ActorKeyFault) {
        if let fault = CurvePoint.fault(bytes) { throw fault }
        self.bytes = bytes
    }

    /// Reads 64 lower-case hexadecimal digits.
    package init(_ text: String) throws(ActorKeyFault) {
        guard let bytes = Hex.bytes(of: Array(text.utf8).span), bytes.count == Self.byteCount else { throw .form }
        try self.init(bytes: bytes)
    }

    /// Takes a key that an entry names which was sealed when it had been checked.
    init?(sealed text: String) {
        guard let bytes = Hex.bytes(of: Array(text.utf8).span), bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    package static let byteCount = 32

    /// Whether this key signed a text.
    func accepts(_ signature: ActorSignature, of text: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return false }
        return key.isValidSignature(signature.bytes, for: text)
    }
}

extension ActorKey: CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package var description: String { Hex.text(of: bytes) }
}

/// Why bytes are no actor's key.
package enum ActorKeyFault: Error, Sendable, Equatable {
    case form, notCanonical, smallOrder, notOnCurve, mixedOrder
}

extension ActorKeyFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .form: "it is no Ed25519 public key, which has 64 lower-case hexadecimal digits"
        case .notCanonical: "it is not the canonical spelling of a point: the key has another name, and only that is taken"
        case .smallOrder: "it is a point of small order, under which signatures prove nothing"
        case .notOnCurve: "it is no point of the curve edwards25519, so nothing can be signed for it"
        case .mixedOrder: "it is not of prime order: one private key signs under several such points, and would count for several"
        }
    }
}

/// An Ed25519 signature: 64 bytes.
package struct ActorSignature: Sendable, Equatable {
    let bytes: [UInt8]

    static let digitCount = 128

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads 128 lower-case hexadecimal digits.
    init?(_ text: String) {
        guard text.utf8.count == Self.digitCount, let bytes = Hex.bytes(of: Array(text.utf8).span) else { return nil }
        self.bytes = bytes
    }

    var text: String { Hex.text(of: bytes) }
}
