import Lanes
import Ledger
import PlantedDefects
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// A journal is another program's file: it lies wherever that program wants
// it, so that the rules of a ledger's directory do not hold for it. Its durable operations stand here, each with its system calls.

/// A journal by its path.
struct JournalFile {
    let path: String

    /// A journal at most.
    static let byteCountMax = 1 << 30

    init(_ path: String) { self.path = path }

    /// A journal's bytes, and what the file was when they were read; nil while there is no file.
    struct Found {
        var bytes: [UInt8] = []
        fileprivate var status: LogFile.Status?
    }

    /// Reads and folds it, part by part.
    func read() throws(LedgerError) -> LaneJournal {
        let (file, before) = try opened()
        let result = try LaneJournal.read(byteCount: before.size) { offset, count throws(LedgerError) in
            try read(file, at: offset, count)
        }
        try checkLength(of: file, since: before)
        // It has to be decoded as a whole.
        if case .failure(.notUTF8) = result { return try read(try found()) }
        return try wanted { () throws(JournalError) in try result.get() }
    }

    func read(_ found: Found) throws(LedgerError) -> LaneJournal {
        try wanted { () throws(JournalError) in try LaneJournal(found.bytes) }
    }

    /// Its last entries.
    func entries(last count: Int) throws(LedgerError) -> [PythonObject] {
        let found = try found()
        return try wanted { () throws(JournalError) in try LaneJournal.entries(of: found.bytes, last: count) }
    }

    private func wanted<Answer>(_ reading: () throws(JournalError) -> Answer) throws(LedgerError) -> Answer {
        do throws(JournalError) {
            return try reading()
        } catch {
            switch error {
            case .lineTooLong(let line, let byteCount):
                throw LedgerError(
                    .usage,
                    "line \(line) of \(path) has \(byteCount) bytes, and no line of a lane journal has more than "
                        + "\(LaneJournal.lineByteCountMax): this is none, or it is damaged there")
            case .notUTF8: preconditionFailure("what is read as a whole is decoded")
            }
        }
    }

    /// The file's bytes, all as of one moment, as far as that can be told.
    ///
    /// - Parameter orNone: whether the file may be missing.
    func found(orNone: Bool = false) throws(LedgerError) -> Found {
        if orNone, LogFile.status(of: path) == nil { return Found() }
        let (file, before) = try opened()
        let bytes = try read(file, at: 0, before.size)
        try checkLength(of: file, since: before)
        return Found(bytes: bytes, status: before)
    }

    private func opened() throws(LedgerError) -> (file: LogFile, status: LogFile.Status) {
        guard let place = LogFile.status(of: path) else {
            throw LedgerError(.usage, "there is no lane journal at \(path); name one with --file")
        }
        guard place.isRegular else {
            throw LedgerError(.usage, "\(path) is no regular file, and so no lane journal; name one with --file")
        }
        guard let file = try LogFile(path) else { throw changed() }
        let status = try file.status()
        guard status.size <= Self.byteCountMax else {
            throw LedgerError(
                .usage,
                "\(path) has \(status.size) bytes, and \(Self.byteCountMax) at most are read; compact it where it is written")
        }
        return (file, status)
    }

    /// So many bytes, no fewer.
    private func read(_ file: LogFile, at offset: Int, _ count: Int) throws(LedgerError) -> [UInt8] {
        var bytes = try file.read(at: offset, upTo: count)
        while bytes.count < count {
            let more = try file.read(at: offset + bytes.count, upTo: count - bytes.count)
            if more.isEmpty { throw changed() }
            bytes += more
        }
        return bytes
    }

    /// Who writes only appends. A file that got shorter was cut, and what was read may be half of the one and half of the other.
    private func checkLength(of file: LogFile, since before: LogFile.Status) throws(LedgerError) {
        guard try file.status().size >= before.size else { throw changed() }
    }

    private func changed() -> LedgerError {
        LedgerError(
            .inputOutput,
            "\(path) got shorter while it was read, so that what was read means nothing; nothing was written, try again")
    }
}

extension JournalFile {
    /// Replaces the journal, atomically.
    ///
    ///     unlink(.compact.tmp, usually ENOENT) open(.compact.tmp, O_CREAT|O_EXCL) fchmod write fsync | rename | open(folder) fsync
    ///
    /// A crash leaves the old journal or the new one, and perhaps an orphan, which the next replacement removes.
    func replace(_ found: Found, with bytes: [UInt8]) throws(LedgerError) {
        let target = resolved
        let aside = target + ".compact.tmp"
        _ = unsafe unlink(aside)
        do throws(LedgerError) {
            let file = try opened(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
            defer { close(file) }
            // It stays readable for whom it was.
            try check(fchmod(file, found.status?.permissions ?? 0o644), "cannot write \(aside)")
            try put(bytes, to: file, aside)
            if !planted(.journalReplacementUnsynced) { try check(fsync(file), "cannot write \(aside)") }
            // The reference appends without taking the lock: what it wrote meanwhile would be lost.
            guard let now = LogFile.status(of: target), let before = found.status, now.isSameFile(as: before),
                now.size == before.size
            else {
                throw LedgerError(.busy, "\(path) was written to meanwhile; nothing was changed, try again")
            }
            try check(unsafe rename(aside, target), "cannot replace \(path)")
        } catch {
            _ = unsafe unlink(aside)
            throw error
        }
        try synchronizeFolder(of: target)
    }

    /// Appends lines in one write, so that no other writer's bytes come between, and makes them durable.
    ///
    ///     open(O_APPEND|O_CREAT) write fsync | of a new file: open(folder) fsync
    ///
    /// A crash leaves any part of them. A failed write is taken back as far as nobody wrote behind it.
    func append(_ bytes: [UInt8], to found: Found) throws(LedgerError) {
        let target = resolved
        let file = try opened(target, O_WRONLY | O_CREAT | O_APPEND)
        defer { close(file) }
        let size = found.bytes.count
        do throws(LedgerError) { try put(bytes, to: file, path) } catch {
            if let now = LogFile.status(of: target), now.size > size, now.size < size + bytes.count {
                _ = ftruncate(file, off_t(size))
            }
            throw error
        }
        if !planted(.journalLineUnsynced) { try check(fsync(file), "it is not known whether the entry in \(path) is durable") }
        if found.status == nil { try synchronizeFolder(of: target) }
    }

    /// Takes away what was made a moment ago.
    func remove() { _ = unsafe unlink(path) }

    /// Makes a journal, or another file of the user's, where nothing stands.
    ///
    ///     open(O_CREAT|O_EXCL) write fsync | open(folder) fsync
    ///
    /// A crash leaves no file, or an incomplete one. After a failure there is none.
    ///
    /// - Parameter permissions: before the user's mask.
    func create(_ bytes: [UInt8], permissions: mode_t = 0o644) throws(LedgerError) {
        if LogFile.status(of: path) != nil {
            throw LedgerError(.usage, "there is something at \(path) already, and nothing is written over it; name another file")
        }
        let file = try opened(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, permissions)
        defer { close(file) }
        do throws(LedgerError) {
            try put(bytes, to: file, path)
            if !planted(.journalExportUnsynced) { try check(fsync(file), "cannot write \(path)") }
        } catch {
            _ = unsafe unlink(path)
            throw error
        }
        try synchronizeFolder(of: path)
    }

    /// The file that the path leads to, through any link: a link shall go on to lead there.
    private var resolved: String {
        guard let real = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }

    private func opened(_ path: String, _ flags: Int32, _ permissions: mode_t = 0o644) throws(LedgerError) -> Int32 {
        let file = unsafe open(path, flags | O_CLOEXEC | O_NONBLOCK, permissions)
        guard file >= 0 else { throw failure("cannot open \(path)") }
        return file
    }

    private func put(_ bytes: [UInt8], to file: Int32, _ name: String) throws(LedgerError) {
        let done = unsafe bytes.withUnsafeBytes { buffer in
            while true {
                let done = unsafe write(file, buffer.baseAddress, buffer.count)
                if done >= 0 || errno != EINTR { return done }
            }
        }
        guard done >= 0 else { throw failure("cannot write to \(name)") }
        guard done == bytes.count else {
            throw LedgerError(.inputOutput, "only a part could be written to \(name): the disk may be full")
        }
    }

    private func synchronizeFolder(of path: String) throws(LedgerError) {
        let folder = try opened(LogFile.parts(of: path).folder, O_RDONLY | O_DIRECTORY)
        defer { close(folder) }
        if planted(.journalNameUnsynced) { return }
        try check(fsync(folder), "it is not known whether the name \(path) is durable")
    }

    private func check(_ result: Int32, _ what: String) throws(LedgerError) {
        guard result == 0 else { throw failure(what) }
    }

    private func failure(_ what: String) -> LedgerError { LedgerError(.inputOutput, "\(what): \(Errno(rawValue: errno))") }
}
