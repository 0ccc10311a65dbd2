import Synchronization
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Writes to the standard streams, past C's buffers. The only file of this target that hands pointers to the system for output.
enum Output {
    private static let answered = Atomic(false)

    /// Something was written to stdout.
    static var hasAnswered: Bool { answered.load(ordering: .relaxed) }

    /// One line to stdout.
    static func line(_ text: String) { write(Array((text + "\n").utf8)) }

    /// Bytes to stdout, as they are.
    static func write(_ bytes: [UInt8]) {
        if !bytes.isEmpty { answered.store(true, ordering: .relaxed) }
        write(bytes, to: STDOUT_FILENO)
    }

    /// One line to stderr.
    static func error(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// Text to stderr, without a line's end.
    static func errorText(_ text: String) { write(Array(text.utf8), to: STDERR_FILENO) }

    /// Opens `/dev/null` over standard streams that are closed: else the ledger's file would get their number, and be printed to.
    ///
    /// For reading only, so that writing to a stream that was closed fails as it should.
    static func fillStandardStreams() {
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) == -1 {
            // The lowest free number is this one, since those below are open.
            _ = unsafe open("/dev/null", O_RDONLY)
        }
    }

    /// A file that grows over a limit is an error like a full disk, not the end of the process.
    static func ignoreFileSizeSignal() { _ = signal(SIGXFSZ, SIG_IGN) }

    static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

    /// Whether a person looks at the stream, and how many columns he sees; nil when it is piped.
    static func columns(of stream: Int32) -> Int? {
        guard isatty(stream) == 1 else { return nil }
        var size = winsize()
        let result = unsafe ioctl(stream, UInt(TIOCGWINSZ), &size)
        return result == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    static var stdoutColumns: Int? { columns(of: STDOUT_FILENO) }
    static var stderrColumns: Int? { columns(of: STDERR_FILENO) }

    private static func write(_ bytes: [UInt8], to stream: Int32) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return 0 }
                return unsafe Glibc.write(stream, base + done, bytes.count - done)
            }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                // Nobody reads any more, or the disk behind a redirection is full.
                guard stream == STDOUT_FILENO else { return }
                if errno != EPIPE {
                    error("bulla: the answer cannot be written: \(Errno(rawValue: errno)); what was done before stays done")
                }
                exit(30)
            }
        }
    }
}
