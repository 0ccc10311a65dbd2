import Ledger
import LedgerFormat

extension FollowedFile.Resumption {
    /// What is done where the ledger does not tell how far a file was followed.
    enum Fallback { case refuse, start, end }

    /// Where the ledger says that this actor's lines of a log end; nil when it has none of a file that is there.
    ///
    /// The log may have been rotated meanwhile: then the file that was read last lies beside it, by another name.
    ///
    /// - Throws: `refused` where its lines may have been archived, and the archive's entry does not tell.
    static func find(_ path: String, actor: String, _ view: LedgerView, else fallback: Fallback) throws(LedgerError) -> Self? {
        var files: [UInt64: String] = [:]
        for file in LogFile.rotated(of: path) { files[file.status.inode] = file.path }
        if let status = LogFile.status(of: path) { files[status.inode] = path }
        let search = try lastPlace(of: actor, in: files, view)
        if let place = search.place, let there = files[place.position.inode], let file = try LogFile(there) {
            return try Self(file, place, keys: Array(view.keyring.keys.values))
        }
        if !search.isCertain, fallback == .refuse {
            throw LedgerError(
                .refused,
                "where the lines of \(path) end that were recorded is not known: they may be archived, and the archive's entry does not "
                    + "tell; say whether to begin --from-start, which may record lines again, or --from-end, which may leave some out"
            )
        }
        return fallback == .end ? try LogFile(path).flatMap { file throws(LedgerError) in try Self(endOf: file) } : nil
    }

    /// - Returns: the last place in one of the files, and whether there is none if there is none here.
    private static func lastPlace(
        of actor: String, in files: [UInt64: String], _ view: LedgerView
    ) throws(LedgerError) -> (place: FollowPlaces.Place?, isCertain: Bool) {
        guard !files.isEmpty else { return (nil, true) }
        func isWanted(_ place: FollowPlaces.Place) -> Bool {
            place.actor.utf8.elementsEqual(actor.utf8) && files[place.position.inode] != nil
        }
        var last: FollowPlaces.Place?
        let matches = LastMatches(view) { frame, bytes in
            guard let place = FollowPlaces.Place(frame, bytes), isWanted(place) else { return false }
            if place.seq > last?.seq ?? 0 { last = place }
            return true
        }
        _ = try matches.first(of: 1, from: view.firstSeq, through: try EntryReader(view, .system).lastSeq())
        if let last { return (last, true) }
        guard view.base != nil, let explanation = try EntryReader(view, .system).explanation() else { return (nil, true) }
        let archived = FollowPlaces(explanation)
        return (archived.places.filter(isWanted).max { $0.seq < $1.seq }, archived.isComplete)
    }

    /// Nil when the line does not stand there any more: the file was truncated, or its number went to another one.
    private init?(_ file: LogFile, _ place: FollowPlaces.Place, keys: [SealingKey]) throws(LedgerError) {
        let position = place.position
        let line = try file.read(at: position.offset, upTo: position.byteCount + 1)
        let (bytes, rest) = (Array(line.prefix(position.byteCount)), line.dropFirst(position.byteCount))
        guard bytes.count == position.byteCount,
            keys.contains(where: { FollowPosition.check(of: bytes, $0) == position.check })
        else { return nil }
        let isWhole = rest.first == 0x0A
        // Behind a part its line goes on.
        self.init(
            file: file, life: position.life, offset: position.offset + position.byteCount + (isWhole ? 1 : 0),
            partCount: rest.isEmpty || isWhole ? 0 : place.part)
    }

    /// Behind the last line that is whole.
    private init(endOf file: LogFile) throws(LedgerError) {
        var end = try file.status().size
        while end > 0 {
            let start = max(0, end - Limits.frame)
            let bytes = try file.read(at: start, upTo: end - start)
            if let last = bytes.lastIndex(of: 0x0A) {
                end = start + last + 1
                break
            }
            end = start
        }
        self.init(file: file, life: Environment.system.now().microseconds, offset: end, partCount: 0)
    }
}
