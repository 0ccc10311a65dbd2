import Ledger
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A file or stdin that is read as a stream.
struct InputFile {
    let name: String
    private let descriptor: FileDescriptor

    /// `-` is stdin.
    init(_ path: String) throws(LedgerError) {
        name = path == "-" ? "stdin" : path
        if path == "-" {
            descriptor = .standardInput
            return
        }
        do {
            descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
        } catch {
            // A disk that fails is not the caller's mistake.
            let code = error as? Errno == .ioError ? ErrorCode.inputOutput : .usage
            throw LedgerError(code, "cannot open \(path): \(error)")
        }
        var status = stat()
        guard unsafe fstat(descriptor.rawValue, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else {
            try? descriptor.close()
            throw LedgerError(.usage, "\(path) is a directory, and a file is wanted")
        }
    }

    /// What there is, up to `limit` bytes; nil at the end.
    func read(upTo limit: Int) throws(LedgerError) -> [UInt8]? {
        do {
            let bytes = try unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
                unsafe count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer), retryOnInterrupt: true)
            }
            return bytes.isEmpty ? nil : bytes
        } catch {
            throw LedgerError(.inputOutput, "cannot read \(name): \(error)")
        }
    }

    /// Everything, of which there may be `limit` bytes at most.
    func all(upTo limit: Int) throws(LedgerError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let more = try read(upTo: 1 << 16) {
            bytes += more
            guard bytes.count <= limit else { throw LedgerError(.usage, "\(name) has more than \(limit) bytes") }
        }
        return bytes
    }

    /// Whether a read would answer at once, with bytes or the end.
    var isReady: Bool {
        var wait = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&wait, 1, 0) != 0
    }

    /// In bytes; nil when it is no regular file.
    var size: Int? {
        var status = stat()
        guard unsafe fstat(descriptor.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }
}
