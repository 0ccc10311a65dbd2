import Crypto

/// HMAC-SHA256 (RFC 2104) with the key's two blocks absorbed once: a message costs no key work.
struct KeyedHash: Sendable {
    private let inner: SHA256
    private let outer: SHA256

    private static let blockByteCount = 64

    /// Takes a key of at most one block.
    init(key: [UInt8]) {
        precondition(key.count <= Self.blockByteCount)
        let padded = key + [UInt8](repeating: 0, count: Self.blockByteCount - key.count)
        inner = SHA256(absorbing: padded.map { $0 ^ 0x36 })
        outer = SHA256(absorbing: padded.map { $0 ^ 0x5C })
    }

    /// The MAC of pieces that belong together.
    func authenticate(_ message: Span<UInt8>, after prefix: [UInt8] = []) -> Digest {
        var hash = inner
        if !prefix.isEmpty { hash.absorb(prefix.span) }
        hash.absorb(message)
        let innerDigest = Digest(hash.finalize()).bytes
        hash = outer
        hash.absorb(innerDigest.span)
        return Digest(hash.finalize())
    }
}

extension SHA256 {
    fileprivate init(absorbing bytes: [UInt8]) {
        self.init()
        absorb(bytes.span)
    }

    /// The only place that hands bytes to swift-crypto through a pointer, which lives for the call.
    mutating func absorb(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { unsafe update(bufferPointer: $0) }
    }
}

extension Digest {
    init(_ digest: SHA256.Digest) {
        var words = InlineArray<4, UInt64>(repeating: 0)
        var index = 0
        for byte in digest {
            words[index >> 3] = words[index >> 3] << 8 | UInt64(byte)
            index += 1
        }
        self.init(words: words)
    }

    /// SHA-256 of a message.
    package init(sha256 message: Span<UInt8>) {
        var hash = SHA256()
        hash.absorb(message)
        self.init(hash.finalize())
    }
}

/// SHA-256 of a message that comes in pieces.
package struct StreamingDigest: Sendable {
    private var hash = SHA256()

    package init() {}

    package mutating func update(_ bytes: Span<UInt8>) { hash.absorb(bytes) }

    package func finish() -> Digest { Digest(hash.finalize()) }
}
