import CanonicalJSON
import LedgerFormat
import TestSupport

extension [UInt8] {
    /// Whether parsing and writing give the same bytes.
    var isCanonicalJSON: Bool { (try? JSON(parsing: self))?.canonicalBytes() == self }
}

let testKeys = [TestLedger.key.id: TestLedger.key]

/// Verifies segments from the first entry on; the first failure, or nil.
func firstFailure(
    _ segments: [(firstSeq: UInt64, bytes: [UInt8])], keys: [KeyID: SealingKey] = testKeys, head: Head? = nil
) -> ChainFailure? {
    var verifier = ChainVerifier(keys: keys, head: head)
    do throws(ChainFailure) {
        for (index, segment) in segments.enumerated() {
            try verifier.beginSegment(firstSeq: segment.firstSeq, isLast: index == segments.count - 1)
            if case .failed(let failure) = verifier.feed(segment.bytes.span, isEnd: true) { return failure }
        }
        try verifier.finish()
        return nil
    } catch {
        return error
    }
}

func firstFailure(_ bytes: [UInt8], keys: [KeyID: SealingKey] = testKeys, head: Head? = nil) -> ChainFailure? {
    firstFailure([(1, bytes)], keys: keys, head: head)
}
