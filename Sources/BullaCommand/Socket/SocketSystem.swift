import DurableFiles
import LedgerFormat

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// The only file of the socket that hands pointers to the system: each call is wrapped once. EINTR is retried here.

enum SocketSystem {
    /// A path must fit into the system's address with the NUL behind it.
    static let pathByteCountMax = 107

    /// A stream socket of the local kind, close-on-exec.
    static func make(blocking: Bool) throws(SystemFailure) -> ChildDescriptor {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | (blocking ? 0 : Int32(SOCK_NONBLOCK.rawValue))
        let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0)
        guard raw >= 0 else { throw failure }
        return ChildDescriptor(raw)
    }

    static func bind(_ descriptor: borrowing ChildDescriptor, to path: String) throws(SystemFailure) {
        let raw = descriptor.raw
        try check(unsafe withAddress(path) { address, size in unsafe systemBind(raw, address, size) })
    }

    static func connect(_ descriptor: borrowing ChildDescriptor, to path: String) throws(SystemFailure) {
        let raw = descriptor.raw
        try check(unsafe withAddress(path) { address, size in unsafe systemConnect(raw, address, size) })
    }

    static func listen(_ descriptor: borrowing ChildDescriptor) throws(SystemFailure) {
        try check(systemListen(descriptor.raw))
    }

    /// The next one who connected, not blocking; nil when there is none.
    static func accept(_ listener: Int32) throws(SystemFailure) -> ChildDescriptor? {
        while true {
            let raw = systemAccept(listener)
            if raw >= 0 {
                let descriptor = ChildDescriptor(raw)
                try check(fcntl(raw, F_SETFD, FD_CLOEXEC))
                try check(fcntl(raw, F_SETFL, O_NONBLOCK))
                return descriptor
            }
            // Who left again before we came is as good as nobody.
            if errno == EAGAIN || errno == ECONNABORTED { return nil }
            if errno != EINTR { throw failure }
        }
    }

    /// Who connected, by the system's account (SO_PEERCRED: process, user, group).
    static func peer(of descriptor: Int32) throws(SystemFailure) -> Peer {
        var numbers: [UInt32] = [0, 0, 0]
        var size = socklen_t(12)
        try check(
            unsafe numbers.withUnsafeMutableBytes {
                unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, $0.baseAddress, &size)
            })
        return Peer(user: numbers[1], group: numbers[2], process: Int32(bitPattern: numbers[0]))
    }

    /// How long a call may wait for the other end, in microseconds; then it fails with EAGAIN.
    static func limitWaiting(_ descriptor: borrowing ChildDescriptor, _ option: Int32, microseconds: Int64) throws(SystemFailure)
    {
        // All zeros would mean no limit.
        let limit = max(1, microseconds)
        var time = timeval(tv_sec: Int(limit / 1_000_000), tv_usec: Int(limit % 1_000_000))
        try check(unsafe setsockopt(descriptor.raw, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size)))
    }

    static let sending = SO_SNDTIMEO
    static let receiving = SO_RCVTIMEO

    /// Sends once, and says how many bytes; nil when none can be taken now. A peer who left is EPIPE and no signal.
    static func send(_ descriptor: Int32, _ bytes: Span<UInt8>) throws(SystemFailure) -> Int? {
        while true {
            let done = unsafe bytes.withUnsafeBytes {
                unsafe systemSend(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if done >= 0 { return done }
            if errno == EAGAIN { return nil }
            if errno != EINTR { throw failure }
        }
    }

    private static func check(_ result: Int32) throws(SystemFailure) {
        if result < 0 { throw failure }
    }

    private static var failure: SystemFailure { SystemFailure(number: errno) }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        precondition(path.utf8.count <= pathByteCountMax, "the path was measured before")
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

// What a socket's file is asked and told.
extension SocketSystem {
    struct FileFacts: Equatable {
        var device: UInt64
        var inode: UInt64
        var isSocket: Bool
    }

    /// Of the path itself, no link followed; nil when nothing is there.
    static func facts(of path: String) throws(SystemFailure) -> FileFacts? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw failure
        }
        return FileFacts(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), isSocket: status.st_mode & S_IFMT == S_IFSOCK)
    }

    /// A socket's file gets the mode that the descriptor has when it is bound.
    static func setMode(ofUnbound descriptor: borrowing ChildDescriptor, _ mode: UInt32) throws(SystemFailure) {
        try check(fchmod(descriptor.raw, mode))
    }

    static func give(_ path: String, toGroup group: UInt32, mode: UInt32) throws(SystemFailure) {
        try check(unsafe chown(path, uid_t.max, group))
        try check(unsafe chmod(path, mode))
    }

    /// A second name for a file; fails if it is taken.
    static func link(_ path: String, as name: String) throws(SystemFailure) { try check(systemLink(path, name)) }

    static func rename(_ path: String, to name: String) throws(SystemFailure) { try check(systemRename(path, name)) }

    static func remove(_ path: String) { unsafe _ = unlink(path) }

    /// A group by its name or number; nil when there is none of this name.
    static func group(_ text: String) -> UInt32? {
        if let number = UInt32(text) { return number }
        return NameService.group(text)
    }
}

// Calls whose names are those of functions above: seen from here, the names are the system's.
private func systemBind(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
    unsafe bind(descriptor, address, size)
}
private func systemConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
    unsafe connect(descriptor, address, size)
}
private func systemListen(_ descriptor: Int32) -> Int32 { listen(descriptor, 128) }
private func systemAccept(_ descriptor: Int32) -> Int32 { accept(descriptor, nil, nil) }
private func systemSend(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    unsafe send(descriptor, base, count, flags)
}
private func systemLink(_ path: String, _ name: String) -> Int32 { unsafe link(path, name) }
private func systemRename(_ path: String, _ name: String) -> Int32 { unsafe rename(path, name) }
