/// A journal of the reference package, as its own reader sees it.
package struct LaneJournal: Sendable {
    private let text: [UInt8]
    private let fold: JournalFold
    /// Whether what is appended begins a line.
    let endsLine: Bool

    /// Reads and folds a journal's bytes, whatever they are.
    package init(_ bytes: [UInt8]) throws(JournalError) {
        endsLine = bytes.last.map { $0 == 0x0A || $0 == 0x0D } ?? true
        let text = PythonText(decoding: bytes).bytes
        var reader = JournalReader()
        var fold = JournalFold()
        var count = 0
        while let line = try reader.next(in: text.span) {
            fold.apply(line, reader.tape, text.span)
            count += 1
        }
        (self.text, self.fold, entryCount) = (text, fold, count)
    }

    /// A line at most, without its end.
    package static let lineByteCountMax = JournalReader.lineByteCountMax

    package let entryCount: Int

    /// The last `count` entries; a line that is no JSON is one that says so: `{"op":"_CORRUPT","_raw":…,"_line":…}`.
    package func entries(last count: Int = .max) -> [PythonObject] {
        var reader = JournalReader()
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
    package var nextSeq: PythonInteger { fold.greatestSeq.successor }

    /// The greatest number that stands as `seq` or `seq_watermark` anywhere, 0 if there is none.
    package var lastSeq: PythonInteger { fold.greatestSeq }

    /// What says of lines that they were bad.
    var corruptEntries: [PythonObject] { fold.corrupt.map(entry) }

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
