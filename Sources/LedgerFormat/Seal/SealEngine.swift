import Crypto
import PlantedDefects

/// Computes and checks seals: SIG = HMAC-SHA256(key, ENTRY) and HASH = SHA-256(ENTRY, `|sig:`, hex SIG) (FORMAT.md §3).
///
/// The one interface to SHA-256 for entries; kernels or swift-crypto work behind it with the same result.
package enum SealEngine {
    private static let signatureLabel = Array("|sig:".utf8)

    /// Seals an entry's canonical bytes.
    package static func seal(_ entry: Span<UInt8>, with key: SealingKey) -> (sig: Digest, hash: Digest) {
        if let states = key.states { return SHA256Kernel.seal(entry, states) }
        let sig = key.hash.authenticate(entry)
        var text: [UInt8] = []
        sig.append(to: &text)
        return (sig, portableHash(of: entry, signatureText: text.span))
    }

    static func portableHash(of entry: Span<UInt8>, signatureText: Span<UInt8>) -> Digest {
        var hash = SHA256()
        hash.absorb(entry)
        hash.absorb(signatureLabel.span)
        hash.absorb(signatureText)
        return Digest(hash.finalize())
    }

    /// What of a frame's seal does not hold.
    package enum Fault: Sendable {
        case hash, signature
    }

    /// The first frame whose seal does not hold; without a key only the HASHes are checked.
    ///
    /// Frames are checked together, because a processor computes many digests at once in hardly more time than one.
    package static func firstFault(in frames: [FrameView], of bytes: Span<UInt8>, key: SealingKey?) -> (index: Int, fault: Fault)?
    {
        if planted(.sealUnchecked) { return nil }
        let key = planted(.signatureUnchecked) ? nil : key
        if SHA256Kernel.features != 0, key == nil || key?.states != nil {
            return SHA256Kernel.firstFault(in: frames, of: bytes, key?.states)
        }
        for (index, frame) in frames.enumerated() {
            let entry = bytes.extracting(frame.entry)
            let hash = portableHash(of: entry, signatureText: bytes.extracting(frame.signatureText))
            if hash != frame.hash(in: bytes) { return (index, .hash) }
            guard let sig = key?.hash.authenticate(entry) else { continue }
            if sig != Digest(hex: bytes, at: frame.signatureText.lowerBound) { return (index, .signature) }
        }
        return nil
    }
}
