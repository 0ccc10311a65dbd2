import Ledger
import LedgerFormat

/// Verifies a changed ledger from shortly before the change on: what stands before is the same for millions of flips, and a
/// `ChainVerifier` is a value, so its state at every frame is kept from one verification of the whole.
struct SuffixCheck {
    private let ledger: SampleLedger
    /// As it stood before each frame.
    private var states: [ChainVerifier] = []
    private var segments: [[UInt8]]

    /// How many frames before the changed one are verified with it.
    private static let framesBefore = 2

    /// Verifies the whole ledger once.
    init(_ ledger: SampleLedger, _ head: Head) throws {
        self.ledger = ledger
        segments = ledger.segments.map(\.bytes)
        var verifier = ChainVerifier(keys: [ledger.key.id: ledger.key], head: head)
        for (index, segment) in ledger.segments.enumerated() {
            try verifier.beginSegment(firstSeq: segment.firstSeq, isLast: index == ledger.segments.count - 1)
            for frame in segment.frames {
                states.append(verifier)
                let bytes = segment.bytes.span.extracting(ledger.frames[frame].bytes)
                if case .failed(let failure) = verifier.feed(bytes, isEnd: false) { throw failure }
            }
        }
        try verifier.finish()
    }

    /// The first failure behind a flip, which is undone.
    ///
    /// - Parameter frame: the one that the byte belongs to; nil for padding, which only the last segment has.
    mutating func failure(_ segment: Int, _ offset: Int, _ mask: UInt8, _ frame: Int?) -> ChainFailure? {
        segments[segment][offset] ^= mask
        defer { segments[segment][offset] ^= mask }
        let range = ledger.segments[segment].frames
        return failure(from: max(range.lowerBound, (frame ?? range.upperBound - 1) - Self.framesBefore), in: segment)
    }

    private func failure(from first: Int, in segment: Int) -> ChainFailure? {
        var verifier = states[first]
        do throws(ChainFailure) {
            for index in segment..<segments.count {
                if index > segment {
                    let isLast = index == segments.count - 1
                    try verifier.beginSegment(firstSeq: ledger.segments[index].firstSeq, isLast: isLast)
                }
                let start = index == segment ? ledger.frames[first].place.offset : 0
                let bytes = segments[index]
                let outcome = verifier.feed(bytes.span.extracting(start..<bytes.count), isEnd: true)
                if case .failed(let failure) = outcome { return failure }
            }
            try verifier.finish()
            return nil
        } catch {
            return error
        }
    }
}
