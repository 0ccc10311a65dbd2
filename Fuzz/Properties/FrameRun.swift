import DurableFiles
import LedgerFormat

/// What a verifier makes of a segment that it is given piece by piece, as a reader of files would.
struct FrameRun {
    var verifier: ChainVerifier
    /// The frames that were shown, as places in the segment.
    var frames: [Range<Int>] = []
    var failure: ChainFailure?

    /// How much is handed over at a time.
    enum Pieces {
        case whole
        /// So little that no two frames lie in one buffer: nothing can be taken over from the frame before.
        case singleFrames
        case random(SeededGenerator)
    }

    init(_ verifier: ChainVerifier) { self.verifier = verifier }

    /// Feeds the segment from `start` to `end`; `isEnd` says that it ends there.
    mutating func feed(
        _ segment: [UInt8], from start: Int = 0, to end: Int? = nil, isEnd: Bool = true, _ pieces: Pieces = .whole
    ) throws(BrokenProperty) {
        var random = SeededGenerator(seed: 0)
        if case .random(let generator) = pieces { random = generator }
        let end = end ?? segment.count
        var base = start
        var given = base
        if case .whole = pieces { given = end }
        while failure == nil {
            let buffer = Array(segment[base..<given])
            var shown: [Range<Int>] = []
            let outcome = verifier.feed(buffer.span, isEnd: isEnd && given == end) { frame, _ in
                shown.append(frame.frame)
                return true
            }
            frames += shown.map { $0.lowerBound + base..<$0.upperBound + base }
            switch outcome {
            case .stopped: throw BrokenProperty("it stopped unasked")
            case .failed(let reason): failure = reason
            case .wantsMore(let consumed, let atLeast):
                try hold((0...buffer.count).contains(consumed), "it consumed \(consumed) of \(buffer.count) bytes")
                try hold(consumed + atLeast > buffer.count, "it wants \(atLeast) bytes and has \(buffer.count - consumed)")
                base += consumed
                if given == end {
                    try hold(!isEnd || base == end, "it wants more behind the end")
                    return
                }
                switch pieces {
                case .whole: given = end
                case .singleFrames: given = min(end, base + atLeast)
                case .random: given = min(end, given + 1 + random.below(random.coin() ? 700 : 9))
                }
            }
        }
    }

    /// What it all came to.
    struct Result: Equatable {
        var failure: ChainFailure?
        /// What `finish` says where nothing failed before.
        var missing: ChainFailure?
        var place: Place
        var entryCount: UInt64
        var tip: ChainTip?
        var openDecision: Place?
    }

    var result: Result {
        var missing: ChainFailure?
        if failure == nil { do throws(ChainFailure) { try verifier.finish() } catch { missing = error } }
        return Result(
            failure: failure, missing: missing, place: verifier.position, entryCount: verifier.entryCount, tip: verifier.tip,
            openDecision: verifier.openDecision)
    }
}
