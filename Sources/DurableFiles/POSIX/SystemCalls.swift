import CSystemCalls
import SystemPackage
import PlantedDefects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// The only file of this target that hands pointers to the system: each call is wrapped once, and fails by throwing Errno.
// EINTR is retried here, so nobody above sees it; a call that may have been half done (a short write) says how far it got.

/// An open file descriptor with one owner; closed when the owner goes.
struct Descriptor: ~Copyable, Sendable {
    let raw: Int32

    init(_ raw: Int32) { self.raw = raw }

    /// What is written is synchronized before, and the rest was only read, so a failing close loses nothing.
    deinit { _ = close(raw) }
}

enum System {
    static let currentDirectory = AT_FDCWD

    /// `openat`, never following a link in the last component, never blocking on a FIFO, never leaking into a child.
    static func open(_ name: String, in directory: Int32, _ flags: Int32, mode: mode_t = 0) throws(Errno) -> Descriptor {
        let flags =
            flags | (planted(.symbolicLinkFollowed) ? 0 : O_NOFOLLOW) | O_CLOEXEC | O_NONBLOCK
        return Descriptor(try retrying { unsafe openat(directory, name, flags, mode) })
    }

    /// A directory, with no symbolic link anywhere on the way; nil for whatever reason, which a walk then finds out.
    static func openDirectory(withoutLinks path: String) -> Descriptor? {
        if path.utf8.contains(0) { return nil }
        let raw = unsafe csystem_open_directory_without_links(path, 0)
        return raw >= 0 ? Descriptor(raw) : nil
    }

    /// What such a directory is, without opening it for anything else.
    static func directoryStatus(withoutLinks path: String) -> FileStatus? {
        if path.utf8.contains(0) { return nil }
        let raw = unsafe csystem_open_directory_without_links(path, 1)
        if raw < 0 { return nil }
        let place = Descriptor(raw)
        return try? status(of: place.raw)
    }

    static func status(of descriptor: Int32) throws(Errno) -> FileStatus { try status(of: "", in: descriptor) }

    /// The status of a name in a directory, of a link itself; an empty name means the descriptor's own.
    static func status(of name: String, in directory: Int32) throws(Errno) -> FileStatus {
        var status = csystem_status()
        try check { unsafe csystem_status(directory, name, &status) }
        return FileStatus(status)
    }

    static func read(_ descriptor: Int32, _ buffer: inout [UInt8], from start: Int, at offset: Int) throws(Errno) -> Int {
        precondition(start >= 0 && start <= buffer.count && offset >= 0)
        let count = buffer.count - start
        let done = unsafe buffer.withUnsafeMutableBytes { bytes in
            while true {
                guard let base = bytes.baseAddress else { return 0 }
                let done = unsafe pread(descriptor, base + start, count, offset)
                if done >= 0 || errno != EINTR { return done }
            }
        }
        guard done >= 0 else { throw Errno(rawValue: errno) }
        return done
    }

    /// Writes once, and says how many bytes.
    static func write(_ descriptor: Int32, _ bytes: Span<UInt8>, at offset: Int) throws(Errno) -> Int {
        let done = unsafe bytes.withUnsafeBytes { bytes in
            while true {
                let done = unsafe pwrite(descriptor, bytes.baseAddress, bytes.count, offset)
                if done >= 0 || errno != EINTR { return done }
            }
        }
        guard done >= 0 else { throw Errno(rawValue: errno) }
        return done
    }

    static func truncate(_ descriptor: Int32, to size: Int) throws(Errno) { try check { ftruncate(descriptor, size) } }

    static func setMode(_ descriptor: Int32, _ mode: mode_t) throws(Errno) { try check { fchmod(descriptor, mode) } }

    /// `fdatasync` takes the size along wherever reading needs it.
    static func synchronizeData(_ descriptor: Int32) throws(Errno) { try check { fdatasync(descriptor) } }

    static func synchronize(_ descriptor: Int32) throws(Errno) { try check { fsync(descriptor) } }

    /// Whether names may be made in a directory, by the rights that count for us, and on this mount.
    static func checkWritable(_ name: String, in directory: Int32) throws(Errno) {
        try check { unsafe faccessat(directory, name, W_OK | X_OK, AT_EACCESS) }
    }

    static func makeDirectory(_ name: String, in directory: Int32) throws(Errno) {
        try check { unsafe mkdirat(directory, name, 0o700) }
    }

    static func rename(_ name: String, to target: String, in directory: Int32) throws(Errno) {
        try check { unsafe renameat(directory, name, directory, target) }
    }

    /// Renames unless something stands at the target.
    static func renameNew(_ name: String, to target: String, in directory: Int32) throws(Errno) {
        try check { unsafe csystem_rename_new(directory, name, target) }
    }

    /// Lets what stands under two names change places.
    static func exchange(_ one: String, in oneDirectory: Int32, with other: String, in otherDirectory: Int32) throws(Errno) {
        try check { unsafe csystem_exchange(oneDirectory, one, otherDirectory, other) }
    }

    static func remove(_ name: String, in directory: Int32, isDirectory: Bool = false) throws(Errno) {
        try check { unsafe unlinkat(directory, name, isDirectory ? AT_REMOVEDIR : 0) }
    }

    /// Takes the exclusive lock of an open file description; false when another has it.
    static func tryLock(_ descriptor: Int32, shared: Bool = false) throws(Errno) -> Bool {
        do throws(Errno) {
            try check { flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) }
            return true
        } catch {
            if error == .wouldBlock { return false }
            throw error
        }
    }

    static func unlock(_ descriptor: Int32) { _ = flock(descriptor, LOCK_UN) }

    /// The names in an open directory, without `.` and `..`.
    static func names(in directory: borrowing Descriptor) throws(Errno) -> [String] {
        // The stream takes a descriptor of its own and closes it.
        let own = try open(".", in: directory.raw, O_RDONLY | O_DIRECTORY)
        let copy = try retrying { dup(own.raw) }
        guard let stream = unsafe fdopendir(copy) else {
            let error = Errno(rawValue: errno)
            _ = close(copy)
            throw error
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        if errno != 0 { throw Errno(rawValue: errno) }
        return names
    }

    /// The type number of the file system, as `fstatfs` gives it.
    static func fileSystemType(_ descriptor: Int32) throws(Errno) -> UInt32 {
        var type: UInt32 = 0
        try check { unsafe csystem_file_system_type(descriptor, &type) }
        return type
    }

    /// What users other than root can still store; no number of files where the file system sets no limit.
    static func freeSpace(_ descriptor: Int32) throws(Errno) -> (byteCount: Int, fileCount: Int?) {
        var status = statvfs()
        try check { unsafe fstatvfs(descriptor, &status) }
        let byteCount = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return (
            byteCount.overflow ? .max : Int(clamping: byteCount.partialValue),
            status.f_files == 0 ? nil : Int(clamping: status.f_favail)
        )
    }

    /// In seconds since 1970.
    static func modificationTime(of path: String, in directory: Int32) throws(Errno) -> Int64 {
        var status = stat()
        try check { unsafe fstatat(directory, path, &status, AT_SYMLINK_NOFOLLOW) }
        return Int64(status.st_mtim.tv_sec)
    }

    /// Nil where the system does not say.
    static var clockIsSynchronised: Bool? {
        let answer = csystem_clock_is_synchronised()
        return answer < 0 ? nil : answer != 0
    }

    static var user: UInt32 { geteuid() }

    /// The absolute path that a path leads to, without any link; its bytes need not be UTF-8.
    static func realPath(of path: String) throws(Errno) -> [UInt8] {
        guard let found = unsafe realpath(path, nil) else { throw Errno(rawValue: errno) }
        defer { unsafe free(found) }
        return unsafe Array(UnsafeRawBufferPointer(start: found, count: strlen(found)))
    }

    /// The value of an environment variable; nil when it is not set.
    static func variable(_ name: String) -> [UInt8]? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
    }

    /// The line for a name or number in the system's list of users (`passwd`) or groups (`group`); nil where there is none.
    static func line(for key: String, in list: String) -> [UInt8]? {
        // A group may have thousands of members; they come last, and nobody asks for them.
        var line = [CChar](repeating: 0, count: 1 << 14)
        let isFound = unsafe line.withUnsafeMutableBufferPointer { line in
            guard let room = line.baseAddress else { return false }
            return unsafe csystem_look_up(list, key, room, line.count) == 0
        }
        return isFound ? line.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: "\n")) }.map { UInt8(bitPattern: $0) } : nil
    }

    private static func check(_ call: () -> Int32) throws(Errno) { _ = try retrying(call) }

    private static func retrying(_ call: () -> Int32) throws(Errno) -> Int32 {
        while true {
            let result = call()
            if result >= 0 { return result }
            if errno != EINTR { throw Errno(rawValue: errno) }
        }
    }
}

extension FileStatus {
    fileprivate init(_ status: csystem_status) {
        let kind: Kind =
            switch status.mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            default: .device
            }
        self.init(
            identity: FileIdentity(volume: status.device, file: status.inode), kind: kind, size: Int(status.size),
            linkCount: Int(status.link_count), owner: status.owner, mode: status.mode & 0o7777)
    }
}
