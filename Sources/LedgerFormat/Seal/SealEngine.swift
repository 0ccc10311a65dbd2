import Crypto

/// Computes seals: SIG = HMAC-SHA256(key, ENTRY) and HASH = SHA-256(ENTRY, `|sig:`, hex SIG) (FORMAT.md §3).
package enum SealEngine {
    static let signatureLabel = Array("|sig:".utf8)

    /// Seals an entry's canonical bytes.
    package static func seal(_ entry: Span<UInt8>, with key: SealingKey) -> (sig: Digest, hash: Digest) {
        let sig = signature(of: entry, with: key)
        var text: [UInt8] = []
        sig.append(to: &text)
        return (sig, hash(of: entry, signatureText: text.span))
    }

    /// The SIG of an entry's canonical bytes.
    package static func signature(of entry: Span<UInt8>, with key: SealingKey) -> Digest { key.hash.authenticate(entry) }

    /// The HASH of an entry's canonical bytes with the 64 digits of its SIG; needs no key.
    package static func hash(of entry: Span<UInt8>, signatureText: Span<UInt8>) -> Digest {
        var hash = SHA256()
        hash.absorb(entry)
        hash.absorb(signatureLabel.span)
        hash.absorb(signatureText)
        return Digest(hash.finalize())
    }
}
