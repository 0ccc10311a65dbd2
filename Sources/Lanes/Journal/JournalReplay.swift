import Dispatch
import DurableFiles

/// What a journal comes to: its pieces, each told in its turn.
struct JournalReplay: Sendable {
    private(set) var fold = JournalFold()
    private(set) var corrupt: [BadLine] = []
    private(set) var entryCount = 0
    /// The greatest number that stands as `seq` or `seq_watermark`.
    private(set) var lastSeq = PythonInteger.zero
    private var lineCount = 0
    /// Why no more was told.
    private(set) var failure: JournalError?

    /// Reads parts of so many bytes, as many at a time as there are processors, and tells each as soon as all before it are told.
    ///
    /// Of the journal only what live leases stand in is kept. What it comes to does not depend on how it is cut.
    ///
    /// - Parameter read: what stands from an offset on, so many bytes.
    init<Failure: Error>(
        byteCount: Int, partByteCount: Int, _ read: @Sendable (_ offset: Int, _ count: Int) throws(Failure) -> [UInt8]
    ) throws(Failure) {
        let (queue, replay) = (StateLock(Queue()), StateLock(JournalReplay()))
        let unread = StateLock<Failure?>(nil)
        DispatchQueue.concurrentPerform(iterations: (byteCount + partByteCount - 1) / partByteCount) { index in
            let start = index * partByteCount
            do throws(Failure) {
                let part = try JournalPart(start..<min(start + partByteCount, byteCount), ofAll: byteCount, read)
                let piece = JournalPiece(part)
                queue.withLock { $0.add(piece, at: index) }
            } catch {
                // What follows it is never told.
                unread.withLock { $0 = error }
            }
            while let piece = queue.withLock({ $0.next() }) {
                replay.withLock { $0.tell(piece) }
                queue.withLock { $0.isTelling = false }
            }
        }
        if let failure = unread.withLock({ $0 }) { throw failure }
        self = replay.withLock { $0 }
    }

    private init() {}

    private mutating func tell(_ piece: JournalPiece) {
        // What is no UTF-8 is read anew, whatever else is wrong with it.
        if piece.failure == .notUTF8 { failure = .notUTF8 }
        guard failure == nil else { return }
        for change in piece.changes { fold.apply(change, piece.bytes) }
        corrupt += piece.corrupt.map { BadLine($0, behind: lineCount, in: piece.bytes) }
        entryCount += piece.entryCount
        lastSeq = max(lastSeq, piece.greatestSeq)
        failure = piece.failure?.behind(lineCount)
        lineCount += piece.lineCount
    }
}

/// What says of a line that it was bad.
struct BadLine: Sendable {
    /// The line, or the entry that says it.
    private let text: [UInt8]
    /// Which line it is, from 0 on; nil for an entry.
    private let line: Int?

    /// - Parameter lineCount: so many lines stand before the piece that tells it.
    init(_ line: JournalReader.Line, behind lineCount: Int, in bytes: [UInt8]) {
        switch line {
        case .entry(let range): (text, self.line) = (Array(bytes[range]), nil)
        case .corrupt(let range, let line): (text, self.line) = (Array(bytes[range]), lineCount + line)
        }
    }

    var entry: PythonObject {
        guard let line else { return PythonJSON(reread: text.indices, of: text.span).object ?? PythonObject() }
        return PythonObject([
            ("op", .text("_CORRUPT")), ("_raw", .text(PythonText(text))), ("_line", .integer(PythonInteger(line))),
        ])
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

extension JournalError {
    /// The same, where so many lines stand before the piece that tells it.
    fileprivate func behind(_ count: Int) -> JournalError {
        switch self {
        case .lineTooLong(let line, let byteCount): .lineTooLong(line: line + count, byteCount: byteCount)
        case .notUTF8: self
        }
    }
}
