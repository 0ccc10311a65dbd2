import Dispatch
import DurableFiles

/// What a journal comes to: its pieces, each told in its turn.
struct JournalReplay: Sendable {
    private(set) var fold = JournalFold()
    /// What says of a line that it was bad.
    private(set) var corrupt: [JournalReader.Line] = []
    private(set) var entryCount = 0
    /// The greatest number that stands as `seq` or `seq_watermark`.
    private(set) var lastSeq = PythonInteger.zero
    private var lineCount = 0
    private var isText = true
    /// Why no more was told.
    private var failure: JournalError?

    /// Reads pieces of about so many bytes, as many at a time as there are processors, and tells each as soon as all before it are told.
    ///
    /// Nil for what is no UTF-8, which has to be decoded first.
    ///
    /// - Parameter pieceByteCount: what the journal comes to does not depend on it.
    init?(_ bytes: [UInt8], pieceByteCount: Int) throws(JournalError) {
        let ranges = bytes.span.pieces(ofAbout: pieceByteCount)
        let (queue, replay) = (StateLock(Queue()), StateLock(JournalReplay()))
        DispatchQueue.concurrentPerform(iterations: ranges.count) { index in
            let piece = JournalPiece(ranges[index], of: bytes.span)
            queue.withLock { $0.add(piece, at: index) }
            while let piece = queue.withLock({ $0.next() }) {
                replay.withLock { $0.tell(piece, bytes.span) }
                queue.withLock { $0.isTelling = false }
            }
        }
        self = replay.withLock { $0 }
        guard isText else { return nil }
        if let failure { throw failure }
    }

    private init() {}

    private mutating func tell(_ piece: JournalPiece, _ bytes: Span<UInt8>) {
        isText = isText && piece.isText
        guard isText, failure == nil else { return }
        for change in piece.changes { fold.apply(change, bytes) }
        corrupt += piece.corrupt.map { $0.behind(lineCount) }
        entryCount += piece.entryCount
        lastSeq = max(lastSeq, piece.greatestSeq)
        failure = piece.failure?.behind(lineCount)
        lineCount += piece.lineCount
    }
}

/// Pieces that were read and are not told yet. One thread tells at a time, and the others read on.
private struct Queue: Sendable {
    private var waiting: [Int: JournalPiece] = [:]
    private var told = 0
    var isTelling = false

    mutating func add(_ piece: JournalPiece, at index: Int) { waiting[index] = piece }

    /// The piece that comes next, if it is there and nobody tells another one; whoever gets it, tells it.
    mutating func next() -> JournalPiece? {
        guard !isTelling, let piece = waiting.removeValue(forKey: told) else { return nil }
        told += 1
        isTelling = true
        return piece
    }
}

extension Span where Element == UInt8 {
    /// Cuts it behind line feeds, each of which ends a line, into pieces of about so many bytes.
    fileprivate func pieces(ofAbout byteCount: Int) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        while start < count {
            var end = Swift.min(count, start + byteCount)
            while end < count, self[end - 1] != 0x0A { end += 1 }
            pieces.append(start..<end)
            start = end
        }
        return pieces
    }
}

extension JournalError {
    /// The same, where so many lines stand before the piece that tells it.
    fileprivate func behind(_ count: Int) -> JournalError {
        switch self {
        case .lineTooLong(let line, let byteCount): .lineTooLong(line: line + count, byteCount: byteCount)
        }
    }
}

extension JournalReader.Line {
    /// The same, where so many lines stand before the piece that tells it.
    fileprivate func behind(_ count: Int) -> JournalReader.Line {
        switch self {
        case .entry: self
        case .corrupt(let range, let line): .corrupt(range, line: line + count)
        }
    }
}
