import CSystemCalls

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// The only file of `record` that hands pointers to the system: each call is wrapped once, and EINTR is retried here, except
// by `wait`, whose caller looks at what a signal may have changed.

/// A descriptor of ours with one owner; closed when the owner goes, and at the latest by an exec.
struct ChildDescriptor: ~Copyable {
    let raw: Int32

    init(_ raw: Int32) { self.raw = raw }

    deinit { _ = close(raw) }

    /// Hands the number to an owner who closes it by himself.
    consuming func take() -> Int32 {
        let raw = raw
        discard self
        return raw
    }
}

/// The number that a system call failed with.
struct SystemFailure: Error, Equatable { let number: Int32 }

enum ChildSystem {
    /// A pipe whose reading end does not block; the writing end does, as what the child expects to find.
    static func pipe() throws(SystemFailure) -> Pipe {
        var ends: (reading: Int32, writing: Int32) = (-1, -1)
        guard unsafe csystem_open_pipe(&ends.reading, &ends.writing) == 0 else { throw failure }
        let pipe = try awayFromStandard(ChildDescriptor(ends.reading), ChildDescriptor(ends.writing))
        try neverWait(pipe.reading)
        return pipe
    }

    /// From now on who finds it full is told so, instead of waiting.
    static func neverWait(_ descriptor: borrowing ChildDescriptor) throws(SystemFailure) {
        guard fcntl(descriptor.raw, F_SETFL, O_NONBLOCK) == 0 else { throw failure }
    }

    struct Pipe: ~Copyable {
        let reading: ChildDescriptor
        let writing: ChildDescriptor

        /// The reading end is closed.
        consuming func takeWriting() -> ChildDescriptor { writing }
    }

    /// Where 0, 1 or 2 was closed, a new descriptor gets that number, and the child's streams would run over it.
    private static func awayFromStandard(
        _ reading: consuming ChildDescriptor, _ writing: consuming ChildDescriptor
    ) throws(SystemFailure) -> Pipe {
        if reading.raw > STDERR_FILENO, writing.raw > STDERR_FILENO { return Pipe(reading: reading, writing: writing) }
        let higherReading = fcntl(reading.raw, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        guard higherReading >= 0 else { throw failure }
        let higher = ChildDescriptor(higherReading)
        let higherWriting = fcntl(writing.raw, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        guard higherWriting >= 0 else { throw failure }
        return Pipe(reading: higher, writing: ChildDescriptor(higherWriting))
    }

    /// Starts a command that inherits everything but its two output streams; gives its process number.
    static func spawn(
        _ arguments: [[UInt8]], standardOutput: borrowing ChildDescriptor, standardError: borrowing ChildDescriptor
    ) throws(SystemFailure) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        try check(unsafe posix_spawn_file_actions_init(&actions))
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        try check(unsafe posix_spawn_file_actions_adddup2(&actions, standardOutput.raw, STDOUT_FILENO))
        try check(unsafe posix_spawn_file_actions_adddup2(&actions, standardError.raw, STDERR_FILENO))

        // The exec gives caught signals their default; those that we were started ignoring stay ignored.
        var attributes = posix_spawnattr_t()
        try check(unsafe posix_spawnattr_init(&attributes))
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        var defaulted = sigset_t()
        unsafe sigemptyset(&defaulted)
        unsafe sigaddset(&defaulted, SIGPIPE)
        unsafe sigaddset(&defaulted, SIGXFSZ)
        var mask = originalMask()
        try check(unsafe posix_spawnattr_setsigdefault(&attributes, &defaulted))
        try check(unsafe posix_spawnattr_setsigmask(&attributes, &mask))
        try check(unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)))

        var child: pid_t = 0
        try unsafe withArgumentVector(arguments) { vector throws(SystemFailure) in
            guard let name = unsafe vector[0] else { throw SystemFailure(number: ENOENT) }
            try check(unsafe posix_spawnp(&child, name, &actions, &attributes, vector, csystem_environment()))
        }
        return child
    }

    /// Starts a command that inherits everything, and that the kernel kills when this process ends; its orphans become our children.
    ///
    /// - Parameters:
    ///   - limit: from when on it is not started, by the system's clock since the boot; it fails with `ETIME` then.
    ///   - watcher: a pipe's writing end; it fails with `EPIPE` if nobody reads there.
    static func startBound(
        _ arguments: [[UInt8]], before limit: Int64, watchedBy watcher: Int32
    ) throws(SystemFailure) -> pid_t {
        try unsafe start(arguments) { unsafe csystem_start_bound($0, limit, watcher, $1) }
    }

    /// The same in a session of its own; it reads `input`.
    static func startApart(_ arguments: [[UInt8]], input: borrowing ChildDescriptor) throws(SystemFailure) -> pid_t {
        let input = input.raw
        return try unsafe start(arguments) { unsafe csystem_start_apart($0, input, $1) }
    }

    private static func start(
        _ arguments: [[UInt8]],
        _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, UnsafeMutablePointer<pid_t>) -> Int32
    ) throws(SystemFailure) -> pid_t {
        precondition(csystem_is_first_thread() != 0, "the kernel would kill the command when this thread ends")
        var child: pid_t = 0
        try unsafe withArgumentVector(arguments) { vector throws(SystemFailure) in
            guard unsafe call(vector, &child) == 0 else { throw failure }
        }
        return child
    }

    /// The signals that this process was started with blocked: known to its first thread. Another one may block all for its own
    /// reasons (workers of Dispatch do), so that there the usual is taken: none.
    private static func originalMask() -> sigset_t {
        var mask = sigset_t()
        unsafe sigemptyset(&mask)
        if csystem_is_first_thread() != 0 { unsafe pthread_sigmask(SIG_SETMASK, nil, &mask) }
        return mask
    }

    /// The arguments as C strings, one after the other in one buffer, and pointers to them.
    private static func withArgumentVector(
        _ arguments: [[UInt8]],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws(SystemFailure) -> Void
    ) throws(SystemFailure) {
        let byteCount = arguments.reduce(0) { $0 + $1.count + 1 }
        let strings = UnsafeMutablePointer<CChar>.allocate(capacity: byteCount)
        defer { unsafe strings.deallocate() }
        let vector = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: arguments.count + 1)
        defer { unsafe vector.deallocate() }
        var end = 0
        for (index, argument) in arguments.enumerated() {
            unsafe (vector + index).initialize(to: strings + end)
            for byte in argument {
                unsafe (strings + end).initialize(to: CChar(bitPattern: byte))
                end += 1
            }
            unsafe (strings + end).initialize(to: 0)
            end += 1
        }
        unsafe (vector + arguments.count).initialize(to: nil)
        try unsafe body(vector)
    }

    /// Nil where the system has no such descriptors (before Linux 5.3, some sandboxes).
    static func openProcess(_ process: pid_t) -> ChildDescriptor? {
        let raw = csystem_open_process(process)
        return raw < 0 ? nil : ChildDescriptor(raw)
    }

    static func hasEnded(_ child: pid_t) throws(SystemFailure) -> Bool {
        let answer = csystem_child_has_ended(child)
        guard answer >= 0 else { throw failure }
        return answer == 1
    }

    /// Waits for the end, and removes the zombie.
    static func reap(_ child: pid_t) throws(SystemFailure) -> ChildProcess.Status {
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0 {
            if errno != EINTR { throw failure }
        }
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .signaled(signal)
    }

    /// Waits until a descriptor is ready, the time is over or a signal came; a negative timeout has no end.
    static func wait(_ waits: inout [pollfd], milliseconds: Int32) throws(SystemFailure) {
        let count = nfds_t(waits.count)
        let done = unsafe waits.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, count, milliseconds) }
        guard done < 0 else { return }
        let failure = failure
        for index in waits.indices { waits[index].revents = 0 }
        if failure.number != EINTR { throw failure }
    }

    /// Reads at most `limit` bytes; 0 at the end, nil when there is nothing now.
    static func read(_ descriptor: Int32, _ buffer: inout [UInt8], limit: Int) throws(SystemFailure) -> Int? {
        precondition(limit > 0 && limit <= buffer.count)
        while true {
            let done = unsafe buffer.withUnsafeMutableBytes {
                unsafe Self.systemRead(descriptor, $0.baseAddress, limit)
            }
            if done >= 0 { return done }
            if errno == EAGAIN { return nil }
            if errno != EINTR { throw failure }
        }
    }

    /// Writes once, and says how many bytes; nil when none can be taken now.
    static func write(_ descriptor: Int32, _ bytes: Span<UInt8>) throws(SystemFailure) -> Int? {
        while true {
            let done = unsafe bytes.withUnsafeBytes { unsafe Self.systemWrite(descriptor, $0.baseAddress, $0.count) }
            if done >= 0 { return done }
            if errno == EAGAIN { return nil }
            if errno != EINTR { throw failure }
        }
    }

    private static func systemRead(_ descriptor: Int32, _ base: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            unsafe Glibc.read(descriptor, base, count)
        #else
            unsafe Musl.read(descriptor, base, count)
        #endif
    }

    private static func systemWrite(_ descriptor: Int32, _ base: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            unsafe Glibc.write(descriptor, base, count)
        #else
            unsafe Musl.write(descriptor, base, count)
        #endif
    }

    /// Whether nobody reads any more what is written to a pipe.
    static func isUnread(_ pipe: Int32) -> Bool {
        var waits = [pollfd(fd: pipe, events: 0, revents: 0)]
        return (try? wait(&waits, milliseconds: 0)) != nil && waits[0].revents != 0
    }

    /// How many bytes lie in a pipe now.
    static func byteCountWaiting(in descriptor: Int32) -> Int {
        var count: Int32 = 0
        return unsafe ioctl(descriptor, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }

    /// Whether a write never waits for a reader.
    static func isRegularFile(_ descriptor: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Microseconds of the monotonic clock.
    static var microseconds: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1_000
    }

    /// Signals for the child are taken and passed on; see CSystemCalls.h for the order of the calls.
    static func beginForwarding() { csystem_forwarding_begin() }
    static func startForwarding(to child: pid_t) { csystem_forwarding_start(child) }
    static func stopForwarding() { csystem_forwarding_stop() }
    static func endForwarding() { csystem_forwarding_end() }
    static var isInterrupted: Bool { csystem_forwarding_interrupted() != 0 }

    private static var failure: SystemFailure { SystemFailure(number: errno) }

    /// For the calls that return their error.
    private static func check(_ number: Int32) throws(SystemFailure) {
        if number != 0 { throw SystemFailure(number: number) }
    }
}
