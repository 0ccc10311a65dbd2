#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One stream of a command on its way to ours: what is read is given to the sink, then written, before more is read.
///
/// Our stream may be shared with others, so that it is not switched to non-blocking; instead it is written to only when it is
/// ready, and then no more than a pipe that is ready takes without waiting.
struct StreamRelay: ~Copyable {
    private(set) var passage = ChildProcess.Passage()
    /// The command's pipe; nil at its end, or when nobody takes the output any more.
    private var source: ChildDescriptor?
    private let destination: Int32
    private let writeByteCountMax: Int
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    /// The part of the buffer that is still to be written.
    private var pending = 0..<0
    /// After the command's end: what lay in the pipe then and is not read yet.
    private var owedByteCount = 0
    private var refusesMore = false

    /// How many places of a wait a relay has: its pipe's and our stream's.
    static let waitCount = 2

    init(from source: consuming ChildDescriptor, to destination: Int32) {
        self.source = consume source
        self.destination = destination
        writeByteCountMax = ChildSystem.isRegularFile(destination) ? .max : 4_096
    }

    var isDone: Bool { sourceNumber == nil && pending.isEmpty }

    /// A pipe is watched while there is room for its bytes, our stream for bytes to write or, without any, for its end: a
    /// command that watches for that itself (`tail -f`) must see it.
    func prepare(_ waits: inout [pollfd], at index: Int) {
        let reads = pending.isEmpty
        waits[index] = pollfd(fd: reads ? sourceNumber ?? -1 : -1, events: Int16(POLLIN), revents: 0)
        waits[index + 1] = pollfd(fd: isDone ? -1 : destination, events: reads ? 0 : Int16(POLLOUT), revents: 0)
    }

    mutating func advance(
        _ waits: [pollfd], at index: Int, _ sink: (Span<UInt8>) -> Void
    ) throws(SystemFailure) {
        if waits[index].revents != 0 { try fill(sink) }
        if waits[index + 1].revents & Int16(POLLNVAL) != 0 { return giveUp(EBADF) }
        if !pending.isEmpty {
            if waits[index + 1].revents != 0 { drain() }
        } else if waits[index + 1].revents & Int16(POLLERR | POLLHUP) != 0 {
            giveUp(EPIPE)
        }
    }

    private mutating func fill(_ sink: (Span<UInt8>) -> Void) throws(SystemFailure) {
        precondition(pending.isEmpty)
        let limit = refusesMore ? min(owedByteCount, buffer.count) : buffer.count
        guard let source = sourceNumber, let count = try ChildSystem.read(source, &buffer, limit: limit) else { return }
        guard count > 0 else { return self.source = nil }
        passage.byteCount += count
        pending = 0..<count
        owedByteCount -= min(count, owedByteCount)
        sink(buffer.span.extracting(0..<count))
        closeIfRefusing()
    }

    /// After a failing write the command's pipe is closed: its next write fails as it would have without us.
    private mutating func drain() {
        do throws(SystemFailure) {
            if let count = try writeOnce() { pending = (pending.lowerBound + count)..<pending.upperBound }
        } catch { giveUp(error.number) }
    }

    private func writeOnce() throws(SystemFailure) -> Int? {
        let start = pending.lowerBound
        return try ChildSystem.write(
            destination, buffer.span.extracting(start..<(start + min(pending.count, writeByteCountMax))))
    }

    mutating func giveUp(_ number: Int32) {
        if isDone { return }
        source = nil
        pending = 0..<0
        passage.failure = number
    }

    /// The command has ended; what it wrote is in the pipe.
    mutating func noteEnd() { owedByteCount = sourceNumber.map(ChildSystem.byteCountWaiting) ?? 0 }

    // Inlined, it makes the optimiser of Swift 6.3.1 stop with an ownership error.
    private var sourceNumber: Int32? {
        @inline(never) get {
            switch source {
            case .some(let descriptor): descriptor.raw
            case .none: nil
            }
        }
    }

    /// From now on nothing is read but what is owed.
    mutating func refuseMore() {
        refusesMore = true
        closeIfRefusing()
    }

    private mutating func closeIfRefusing() {
        if refusesMore, owedByteCount == 0 { source = nil }
    }
}
