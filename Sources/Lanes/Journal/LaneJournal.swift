/// A journal of the reference package, as its own reader sees it.
package struct LaneJournal: Sendable {
    private let text: [UInt8]
    private let replay: JournalReplay
    /// Whether what is appended begins a line.
    let endsLine: Bool

    /// Reads and folds a journal's bytes, whatever they are.
    ///
    /// - Parameter pieceByteCount: it is read in pieces of about so many bytes; what they lead to does not depend on it.
    package init(_ bytes: [UInt8], pieceByteCount: Int = 1 << 18) throws(JournalError) {
        endsLine = bytes.last.map { $0 == 0x0A || $0 == 0x0D } ?? true
        if let replay = try JournalReplay(bytes, pieceByteCount: pieceByteCount) {
            (text, self.replay) = (bytes, replay)
            return
        }
        text = PythonText(decoding: bytes).bytes
        guard let replay = try JournalReplay(text, pieceByteCount: pieceByteCount) else {
            preconditionFailure("what was decoded is text")
        }
        self.replay = replay
    }

    /// A line at most, without its end.
    package static let lineByteCountMax = JournalReader.lineByteCountMax

    package var entryCount: Int { replay.entryCount }

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
    package var leases: [(identity: LeaseIdentity, lease: PythonObject)] { replay.fold.leases(of: text.span) }

    /// One more than the greatest number that stands as `seq` or `seq_watermark` anywhere.
    package var nextSeq: PythonInteger { lastSeq.successor }

    /// The greatest number that stands as `seq` or `seq_watermark` anywhere, 0 if there is none.
    package var lastSeq: PythonInteger { replay.lastSeq }

    /// What says of lines that they were bad.
    var corruptEntries: [PythonObject] { replay.corrupt.map(entry) }

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
