import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Waits for signals on a thread of its own; to be made on the first thread, before there are others that could take them.
struct SignalWatch: Sendable {
    /// One after the other, from now on.
    let arrivals: AsyncStream<Int32>

    init(_ signals: [Int32], handler: (@Sendable (Int32) -> Void)? = nil) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        arrivals = stream
        DispatchQueue(label: "bulla.signals").async { [set] in
            var set = set
            var signal: Int32 = 0
            while unsafe sigwait(&set, &signal) == 0 {
                if let handler { handler(signal) } else { continuation.yield(signal) }
            }
        }
    }

    /// The next signal.
    func next() async -> Int32? {
        for await signal in arrivals { return signal }
        return nil
    }
}
