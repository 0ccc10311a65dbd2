/// What a journal of the reference package comes to, as its own reader sees it.
package struct LaneJournal: Sendable {
    private let replay: JournalReplay
    /// Whether what is appended begins a line.
    let endsLine: Bool

    /// Reads and folds a journal's bytes, whatever they are.
    package init(_ bytes: [UInt8], partByteCount: Int = partByteCount) throws(JournalError) {
        do throws(JournalError) {
            self = try Self(text: bytes, partByteCount)
        } catch {
            guard error == .notUTF8 else { throw error }
            self = try Self(text: PythonText(decoding: bytes).bytes, partByteCount)
        }
    }

    private init(text: [UInt8], _ partByteCount: Int) throws(JournalError) {
        self = try Self.read(byteCount: text.count, partByteCount: partByteCount) { offset, count in
            Array(text[offset..<offset + count])
        }.get()
    }

    /// The same of a journal that is UTF-8 and is read in parts, so that it is never in memory as a whole.
    ///
    /// - Parameters:
    ///   - partByteCount: what it comes to does not depend on that.
    ///   - read: what stands from an offset on, so many bytes. Called by several threads.
    /// - Throws: what `read` does.
    package static func read<Failure: Error>(
        byteCount: Int, partByteCount: Int = partByteCount,
        _ read: @Sendable (_ offset: Int, _ count: Int) throws(Failure) -> [UInt8]
    ) throws(Failure) -> Result<LaneJournal, JournalError> {
        let replay = try JournalReplay(byteCount: byteCount, partByteCount: partByteCount, read)
        if let failure = replay.failure { return .failure(failure) }
        let last = byteCount == 0 ? nil : try read(byteCount - 1, 1).last
        return .success(LaneJournal(replay, endsLine: last.map { $0 == 0x0A || $0 == 0x0D } ?? true))
    }

    private init(_ replay: JournalReplay, endsLine: Bool) { (self.replay, self.endsLine) = (replay, endsLine) }

    /// What fits into a processor's own cache with all that is made of it.
    package static let partByteCount = 1 << 16

    /// A line at most, without its end.
    package static let lineByteCountMax = JournalReader.lineByteCountMax

    package var entryCount: Int { replay.entryCount }

    /// The live leases, each with the identity that the journal knows it by, in the order in which these became live.
    package var leases: [(identity: LeaseIdentity, lease: PythonObject)] { replay.fold.leases }

    /// One more than the greatest number that stands as `seq` or `seq_watermark` anywhere.
    package var nextSeq: PythonInteger { lastSeq.successor }

    /// The greatest number that stands as `seq` or `seq_watermark` anywhere, 0 if there is none.
    package var lastSeq: PythonInteger { replay.lastSeq }

    /// What says of lines that they were bad.
    var corruptEntries: [PythonObject] { replay.corrupt.map(\.entry) }
}

extension LaneJournal {
    /// The last `count` entries of a journal's bytes; a line that is no JSON is one that says so:
    /// `{"op":"_CORRUPT","_raw":…,"_line":…}`.
    package static func entries(of bytes: [UInt8], last count: Int = .max) throws(JournalError) -> [PythonObject] {
        let isText = (try? UTF8Span(validating: bytes.span)) != nil
        let text = isText ? bytes : PythonText(decoding: bytes).bytes
        var reader = JournalReader(text.indices)
        var lines: [JournalReader.Line] = []
        while let line = try reader.next(in: text.span) { lines.append(line) }
        return lines.suffix(count).map { BadLine($0, behind: 0, in: text).entry }
    }
}
