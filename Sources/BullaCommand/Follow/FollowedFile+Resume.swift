import CanonicalJSON
import Ledger
import LedgerFormat

extension FollowedFile.Resumption {
    /// Where the ledger says that this actor's lines of a log end; nil when it has none of a file that is there.
    ///
    /// The log may have been rotated meanwhile: then the file that was read last lies beside it, by another name.
    static func find(_ path: String, actor: String, _ view: LedgerView) throws(LedgerError) -> Self? {
        var files: [UInt64: String] = [:]
        for file in LogFile.rotated(of: path) { files[file.status.inode] = file.path }
        if let status = LogFile.status(of: path) { files[status.inode] = path }
        guard !files.isEmpty, let entry = try lastEntry(of: actor, in: files, view),
            let position = entry.id.flatMap(FollowPosition.init), let there = files[position.inode],
            let file = try LogFile(there)
        else { return nil }
        return try Self(file, position, entry, keys: Array(view.keyring.keys.values))
    }

    private static func lastEntry(
        of actor: String, in files: [UInt64: String], _ view: LedgerView
    ) throws(LedgerError) -> Entry? {
        var last: Entry?
        let matches = LastMatches(view) { frame, bytes in
            // By the context's first bytes most entries are passed over.
            let readmission = Readmission(frame, of: bytes)
            guard readmission != nil || bytes.copy(frame.context).starts(with: "{\"id\":\"follow:".utf8) else { return false }
            let entry = readmission?.entry ?? Entry(frame, of: bytes)
            guard entry.actor.utf8.elementsEqual(actor.utf8), let position = entry.id.flatMap(FollowPosition.init),
                files[position.inode] != nil
            else { return false }
            if entry.seq > last?.seq ?? 0 { last = entry }
            return true
        }
        _ = try matches.first(of: 1, from: view.firstSeq, through: try EntryReader(view, .system).lastSeq())
        return last
    }

    /// Nil when the line does not stand there any more: the file was truncated, or its number went to another one.
    private init?(_ file: LogFile, _ position: FollowPosition, _ entry: Entry, keys: [SealingKey]) throws(LedgerError) {
        let line = try file.read(at: position.offset, upTo: position.byteCount + 1)
        let (bytes, rest) = (Array(line.prefix(position.byteCount)), line.dropFirst(position.byteCount))
        guard bytes.count == position.byteCount,
            keys.contains(where: { FollowPosition.check(of: bytes, $0) == position.check })
        else { return nil }
        let isWhole = rest.first == 0x0A
        // Behind a part its line goes on.
        let isPart = !rest.isEmpty && !isWhole && position.byteCount > LinePart.byteCountMax - 4
        let part = isPart ? (try? JSON(parsing: entry.body))?["part"]?.integer ?? 0 : 0
        self.init(
            file: file, life: position.life, offset: position.offset + position.byteCount + (isWhole ? 1 : 0),
            partCount: Int(max(0, part)))
    }
}
