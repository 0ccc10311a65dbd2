import CSHA256

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// SHA-256 by the processor's own instructions, where it has them: the only file that calls the C target.
///
/// The portable code is swift-crypto. `BULLA_SHA256=portable` forces it and `BULLA_SHA256=sha-ni` leaves AVX-512 out. Before
/// its first use a kernel must agree with the portable code on a series of messages; one that does not is never used.
enum SHA256Kernel {
    /// Bits of `csha256_features` that are used; 0 for the portable code.
    static let features: UInt32 = {
        let wanted = choice
        return wanted == 0 || agreesWithPortableCode(wanted) ? wanted : 0
    }()

    private static let shaNI = UInt32(CSHA256_SHANI)

    private static var choice: UInt32 {
        let found = csha256_features()
        // The 16-lane code leaves remainders to SHA-NI.
        guard found & shaNI != 0 else { return 0 }
        guard let name = unsafe getenv("BULLA_SHA256") else { return found }
        switch unsafe String(cString: name) {
        case "portable": return 0
        case "sha-ni": return shaNI
        default: return found
        }
    }

    static func states(ofKey key: [UInt8]) -> csha256_hmac_key? { features == 0 ? nil : makeStates(key) }

    private static func makeStates(_ key: [UInt8]) -> csha256_hmac_key {
        precondition(key.count == SealingKey.byteCount)
        var states = csha256_hmac_key()
        unsafe key.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe csha256_hmac_key_init(&states, base)
        }
        return states
    }

    static func seal(_ entry: Span<UInt8>, _ states: csha256_hmac_key) -> (sig: Digest, hash: Digest) {
        precondition(entry.count > 0)
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digests in
            unsafe entry.withUnsafeBufferPointer { bytes in
                guard let text = bytes.baseAddress, let out = digests.baseAddress else { preconditionFailure() }
                unsafe withUnsafePointer(to: states) { unsafe csha256_seal($0, text, bytes.count, out, out + 32) }
                return unsafe (Digest(raw: out), Digest(raw: out + 32))
            }
        }
    }

    /// The first frame whose seal does not hold; without a key only the HASHes are checked.
    static func firstFault(
        in frames: [FrameView], of bytes: Span<UInt8>, _ states: csha256_hmac_key?
    ) -> (index: Int, fault: SealEngine.Fault)? {
        var found: (Int, SealEngine.Fault)?
        unsafe compute(count: frames.count, in: bytes, states, features, job: { frames[$0].sealJob }) { base, sigs, hashes in
            // HASH and SIG lie in front of the frame's end, which is inside the buffer as `compute` found SIG to be.
            for index in 0..<frames.count {
                let frame = frames[index]
                if unsafe csha256_hex_equal(hashes + 32 * index, base + frame.hashText.lowerBound) == 0 {
                    found = (index, .hash)
                } else if let sigs = unsafe sigs,
                    unsafe csha256_hex_equal(sigs + 32 * index, base + frame.signatureText.lowerBound) == 0
                {
                    found = (index, .signature)
                }
                if found != nil { return }
            }
        }
        return found
    }

    /// An entry and SIG's 64 digits.
    typealias Job = (entry: Range<Int>, signatureText: Int)

    /// Computes SIG (with a key) and HASH of entries that lie in one buffer, 32 bytes each.
    private static func compute(
        count: Int, in bytes: Span<UInt8>, _ states: csha256_hmac_key?, _ features: UInt32, job: (Int) -> Job,
        body: (_ base: UnsafePointer<UInt8>, _ sigs: UnsafePointer<UInt8>?, _ hashes: UnsafePointer<UInt8>) -> Void
    ) {
        unsafe withUnsafeTemporaryAllocation(of: csha256_job.self, capacity: count) { list in
            unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count * 64) { digests in
                unsafe bytes.withUnsafeBufferPointer { bytes in
                    guard let base = bytes.baseAddress, let sigs = digests.baseAddress, let first = list.baseAddress else {
                        return
                    }
                    for index in 0..<count {
                        let (entry, text) = job(index)
                        precondition(!entry.isEmpty && entry.lowerBound >= 0 && entry.upperBound <= bytes.count)
                        precondition(text >= entry.upperBound && text + 64 <= bytes.count)
                        unsafe (first + index).initialize(
                            to: csha256_job(entry: base + entry.lowerBound, n: entry.count, sig_hex: base + text))
                    }
                    let hashes = unsafe sigs + 32 * count
                    if let states {
                        unsafe withUnsafePointer(to: states) {
                            unsafe csha256_verify_batch(
                                $0, first, count, .init(OpaquePointer(sigs)), .init(OpaquePointer(hashes)), features)
                        }
                    } else {
                        unsafe csha256_verify_batch(nil, first, count, nil, .init(OpaquePointer(hashes)), features)
                    }
                    unsafe body(base, states == nil ? nil : UnsafePointer(sigs), UnsafePointer(hashes))
                }
            }
        }
    }

    /// Lengths around every border of a block: entries that all begin unlike, and longer ones of which many begin alike, because
    /// what those share is computed but once.
    private static func agreesWithPortableCode(_ features: UInt32) -> Bool {
        let lengths = [1, 47, 48, 55, 56, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 300, 345, 346, 1000]
        return agrees(features, lengths, beginnings: 256) && agrees(features, lengths.filter { $0 >= 64 }, beginnings: 3)
    }

    /// Entries sealed one by one and checked as a batch, against swift-crypto.
    private static func agrees(_ features: UInt32, _ lengths: [Int], beginnings: Int) -> Bool {
        let key = (0..<32).map { UInt8($0) }
        let states = makeStates(key)
        let portable = KeyedHash(key: key)
        var bytes: [UInt8] = []
        var jobs: [Job] = []
        var expected: [(sig: Digest, hash: Digest)] = []
        for length in lengths {
            let entry = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ length % beginnings) }
            let sig = portable.authenticate(entry.span)
            var text: [UInt8] = []
            sig.append(to: &text)
            let hash = SealEngine.portableHash(of: entry.span, signatureText: text.span)
            expected.append((sig, hash))
            let single = seal(entry.span, states)
            guard single.sig == sig, single.hash == hash else { return false }
            jobs.append((bytes.count..<bytes.count + length, bytes.count + length))
            bytes += entry + text
        }
        var agreeing = 0
        unsafe compute(count: jobs.count, in: bytes.span, states, features, job: { jobs[$0] }) { _, sigs, hashes in
            guard let sigs = unsafe sigs else { return }
            for (index, seal) in expected.enumerated() {
                let sig = unsafe Digest(raw: sigs + 32 * index)
                let hash = unsafe Digest(raw: hashes + 32 * index)
                if sig == seal.sig, hash == seal.hash { agreeing += 1 }
            }
        }
        return agreeing == expected.count
    }
}

extension Digest {
    /// Reads 32 bytes behind a pointer.
    @unsafe fileprivate init(raw pointer: UnsafePointer<UInt8>) {
        let raw = unsafe UnsafeRawPointer(pointer)
        var words = InlineArray<4, UInt64>(repeating: 0)
        for index in 0..<4 {
            words[index] = unsafe UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        }
        self.init(words: words)
    }

    @unsafe fileprivate init(raw pointer: UnsafeMutablePointer<UInt8>) {
        unsafe self.init(raw: UnsafePointer(pointer))
    }
}

extension FrameView {
    fileprivate var sealJob: SHA256Kernel.Job { (entry, signatureText.lowerBound) }
}

extension Span where Element == UInt8 {
    /// Whether 64 lower-case hexadecimal digits stand at `offset`.
    @inline(__always)
    package func holdsDigest(at offset: Int) -> Bool {
        guard offset >= 0, offset <= count - 64 else { return false }
        return unsafe withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe csha256_is_hex(base + offset) != 0
        }
    }
}
