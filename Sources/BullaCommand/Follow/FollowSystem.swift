import Dispatch
import Ledger
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// The only file of following that hands pointers to the system.

/// A log that is open; closed when nobody holds it any more.
final class LogFile: Sendable {
    /// What stays of a file whatever its name is.
    struct Status {
        var device: UInt64
        var inode: UInt64
        /// In bytes.
        var size: Int
        var isRegular, isDirectory: Bool
        /// Who may read and write it.
        var permissions: mode_t
        /// When it was written to last, in nanoseconds since 1970.
        var modified: Int64

        func isSameFile(as other: Status) -> Bool { device == other.device && inode == other.inode }

        fileprivate init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
            size = Int(status.st_size)
            isRegular = status.st_mode & S_IFMT == S_IFREG
            isDirectory = status.st_mode & S_IFMT == S_IFDIR
            permissions = status.st_mode & 0o777
            modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        }
    }

    let path: String
    private let descriptor: FileDescriptor

    /// Nil when there is none.
    init?(_ path: String) throws(LedgerError) {
        self.path = path
        do {
            // A FIFO would wait for its writer; it is refused behind this.
            descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
        } catch {
            if error as? Errno == .noSuchFileOrDirectory { return nil }
            throw LedgerError(.inputOutput, "cannot open \(path): \(error)")
        }
        guard try status().isRegular else {
            throw LedgerError(.usage, "\(path) is no regular file, which alone can be followed; read a pipe without --follow")
        }
    }

    deinit { try? descriptor.close() }

    func status() throws(LedgerError) -> Status {
        var status = stat()
        guard unsafe fstat(descriptor.rawValue, &status) == 0 else { throw failure(Errno(rawValue: errno)) }
        return Status(status)
    }

    /// What is there, up to `count` bytes.
    func read(at offset: Int, upTo count: Int) throws(LedgerError) -> [UInt8] {
        do {
            return try unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
                let memory = UnsafeMutableRawBufferPointer(buffer)
                unsafe useLargePages(memory)
                unsafe done = try descriptor.read(fromAbsoluteOffset: Int64(offset), into: memory)
            }
        } catch {
            throw failure(error)
        }
    }

    /// Large pages cost a fault for 2 MiB instead of one for 4 KiB; where there are none, nothing is lost.
    private func useLargePages(_ memory: UnsafeMutableRawBufferPointer) {
        let page = 1 << 21
        guard let base = memory.baseAddress else { return }
        let start = unsafe base.alignedUp(toMultipleOf: page)
        let byteCount = unsafe (base + memory.count).alignedDown(toMultipleOf: page) - start
        if byteCount > 0 { _ = unsafe madvise(start, byteCount, MADV_HUGEPAGE) }
    }

    private func failure(_ error: any Error) -> LedgerError { LedgerError(.inputOutput, "cannot read \(path): \(error)") }

    /// Of what stands under a path now; nil for nothing.
    static func status(of path: String) -> Status? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Status(status) : nil
    }

    /// The folder that a path lies in, and its name there.
    static func parts(of path: String) -> (folder: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        return (slash == path.utf8.startIndex ? "/" : String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
    }

    /// The regular files that the log was rotated to: in its folder, by its name with a number or a date behind it.
    static func rotated(of path: String) -> [(path: String, status: Status)] {
        let (folder, name) = parts(of: path)
        guard let stream = unsafe opendir(folder) else { return [] }
        defer { unsafe _ = closedir(stream) }
        var files: [(path: String, status: Status)] = []
        while let entry = unsafe readdir(stream) {
            let found = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            guard isRotated(Array(found.utf8), Array(name.utf8)), let status = Self.status(of: folder + "/" + found),
                status.isRegular
            else { continue }
            files.append((folder + "/" + found, status))
        }
        return files
    }

    /// By their names, of two rotated files: a number behind the name rises with age, a date falls.
    static func isOlder(_ one: String, than other: String) -> Bool {
        func number(_ path: String) -> Int? {
            let digits = path.utf8.reversed().prefix { $0.isDigit }
            let rest = path.utf8.dropLast(digits.count)
            // Of a date it would be a part only.
            guard digits.count < 6, rest.last == UInt8(ascii: "."), rest.dropLast().last?.isDigit == false else { return nil }
            return Int(String(decoding: Array(digits.reversed()), as: UTF8.self))
        }
        if let one = number(one), let other = number(other) { return one > other }
        return one.utf8.lexicographicallyPrecedes(other.utf8)
    }

    /// `NAME.1`, `NAME-20260131`, and the like; what is compressed has another ending.
    private static func isRotated(_ found: [UInt8], _ name: [UInt8]) -> Bool {
        guard found.starts(with: name), found.count > name.count + 1 else { return false }
        let rest = found[name.count...]
        return ".-".utf8.contains(found[name.count]) && found[name.count + 1].isDigit
            && rest.allSatisfy { $0.isDigit || ".-_".utf8.contains($0) }
    }
}

/// Waits for changes in a folder, and for the signals that end the work.
final class FileWatch {
    /// -1 where the system tells no changes; they are looked for then.
    private let changes: Int32
    private let stopping: Int32
    private let signals: [any DispatchSourceSignal]

    /// However few changes the system tells, as for folders of other machines, one is seen after so long.
    private static let lookMilliseconds: Int32 = 1000
    private static let lookMillisecondsAlone: Int32 = 200

    /// From its return on SIGINT and SIGTERM end the wait, and the process no more.
    init(folder: String) throws(LedgerError) {
        changes = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        let mask = UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB)
        if changes >= 0 { _ = unsafe inotify_add_watch(changes, folder, mask) }
        let writing: Int32
        do throws(SystemFailure) {
            let pipe = try ChildSystem.pipe()
            stopping = dup(pipe.reading.raw)
            writing = dup(pipe.writing.raw)
        } catch {
            throw LedgerError(.inputOutput, "cannot follow: \(Errno(rawValue: error.number))")
        }
        signals = [SIGINT, SIGTERM].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { _ = unsafe write(writing, "s", 1) }
            let registered = DispatchSemaphore(value: 0)
            source.setRegistrationHandler { registered.signal() }
            source.resume()
            registered.wait()
            return source
        }
    }

    var isStopped: Bool {
        var wait = pollfd(fd: stopping, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&wait, 1, 0) > 0
    }

    /// Until something may have changed, or a signal came.
    func wait() {
        var waits = [
            pollfd(fd: stopping, events: Int16(POLLIN), revents: 0), pollfd(fd: changes, events: Int16(POLLIN), revents: 0),
        ]
        _ = unsafe poll(&waits, 2, changes < 0 ? Self.lookMillisecondsAlone : Self.lookMilliseconds)
        // What changed is looked for itself: the events only wake.
        var events = [UInt8](repeating: 0, count: 1 << 16)
        while changes >= 0, unsafe read(changes, &events, events.count) > 0 {}
    }
}
