#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Pipes and threads for the tests of `record`.
enum RecordSupport {
    static func openPipe() -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0)
        for end in ends { precondition(fcntl(end, F_SETFD, FD_CLOEXEC) == 0) }
        return (ends[0], ends[1])
    }

    static func readAll(_ descriptor: Int32) -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return all }
            all += buffer[..<count]
        }
    }

    /// Reads to the end on a thread of its own, begun before this returns.
    final class Reader: Sendable {
        private let thread: pthread_t
        private let all: Box

        private final class Box: @unchecked Sendable {
            /// Written by the thread, read after it was joined.
            var bytes: [UInt8] = []
        }

        init(_ descriptor: Int32) {
            let box = Box()
            all = box
            thread = RecordSupport.start { box.bytes = RecordSupport.readAll(descriptor) }
        }

        func finish() -> [UInt8] {
            pthread_join(thread, nil)
            return all.bytes
        }
    }

    static func onThread(_ body: @escaping @Sendable () -> Void) { pthread_detach(start(body)) }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let work = Optional(argument).flatMap({ $0 }) else { return nil }
                Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(Work(body)).toOpaque())
        precondition(failure == 0)
        return thread
    }

    static func bytes(_ arguments: [String]) -> [[UInt8]] { arguments.map { Array($0.utf8) } }
}
