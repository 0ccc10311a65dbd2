import Dispatch
import DurableFiles

/// A journal of the reference package, as its own reader sees it.
package struct LaneJournal: Sendable {
    private let text: [UInt8]
    private let fold: JournalFold
    private let corrupt: [JournalReader.Line]
    /// Whether what is appended begins a line.
    let endsLine: Bool

    /// Reads and folds a journal's bytes, whatever they are.
    ///
    /// - Parameter pieceCount: how many pieces of about the same size are read at a time, one or more; what they lead to does not depend on it.
    package init(_ bytes: [UInt8], pieceCount: Int = 1) throws(JournalError) {
        endsLine = bytes.last.map { $0 == 0x0A || $0 == 0x0D } ?? true
        let text = PythonText(decoding: bytes).bytes
        var fold = JournalFold()
        var corrupt: [JournalReader.Line] = []
        var (entryCount, lineCount, lastSeq) = (0, 0, PythonInteger.zero)
        for piece in Self.read(text, pieceCount) {
            if let failure = piece.failure { throw failure.behind(lineCount) }
            for change in piece.changes { fold.apply(change, text.span) }
            corrupt += piece.corrupt.map { $0.behind(lineCount) }
            entryCount += piece.entryCount
            lineCount += piece.lineCount
            lastSeq = max(lastSeq, piece.greatestSeq)
        }
        (self.text, self.fold, self.corrupt, self.entryCount, self.lastSeq) = (text, fold, corrupt, entryCount, lastSeq)
    }

    private static func read(_ text: [UInt8], _ count: Int) -> [JournalPiece] {
        let ranges = text.span.pieces(count)
        let pieces = StateLock([JournalPiece?](repeating: nil, count: ranges.count))
        DispatchQueue.concurrentPerform(iterations: ranges.count) { index in
            let piece = JournalPiece(ranges[index], of: text.span)
            pieces.withLock { $0[index] = piece }
        }
        return pieces.withLock { $0.compactMap(\.self) }
    }

    /// A line at most, without its end.
    package static let lineByteCountMax = JournalReader.lineByteCountMax

    package let entryCount: Int

    /// The last `count` entries; a line that is no JSON is one that says so: `{"op":"_CORRUPT","_raw":…,"_line":…}`.
    package func entries(last count: Int = .max) -> [PythonObject] {
        var reader = JournalReader(text.indices)
        var lines: [JournalReader.Line] = []
        do throws(JournalError) {
            while let line = try reader.next(in: text.span) { lines.append(line) }
        } catch {
            preconditionFailure("what was a journal is none any more")
        }
        return lines.suffix(count).map(entry)
    }

    /// The live leases, each with the identity that the journal knows it by, in the order in which these became live.
    package var leases: [(identity: LeaseIdentity, lease: PythonObject)] { fold.leases(of: text.span) }

    /// One more than the greatest number that stands as `seq` or `seq_watermark` anywhere.
    package var nextSeq: PythonInteger { lastSeq.successor }

    /// The greatest number that stands as `seq` or `seq_watermark` anywhere, 0 if there is none.
    package let lastSeq: PythonInteger

    /// What says of lines that they were bad.
    var corruptEntries: [PythonObject] { corrupt.map(entry) }

    private func entry(_ line: JournalReader.Line) -> PythonObject {
        switch line {
        case .entry(let range): PythonJSON(reread: range, of: text.span).object ?? PythonObject()
        case .corrupt(let range, let line):
            PythonObject([
                ("op", .text("_CORRUPT")), ("_raw", .text(PythonText(Array(text[range])))),
                ("_line", .integer(PythonInteger(line))),
            ])
        }
    }
}

extension Span where Element == UInt8 {
    /// Cuts it behind line feeds, each of which ends a line, into so many pieces of about the same size, or fewer.
    fileprivate func pieces(_ pieceCount: Int) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var start = 0
        for number in 1...pieceCount {
            var end = Swift.max(start, count * number / pieceCount)
            while end > start, end < count, self[end - 1] != 0x0A { end += 1 }
            if end > start { pieces.append(start..<end) }
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
