#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A command between its start and the end of its output.
struct RunningChild: ~Copyable {
    private let process: pid_t
    /// Readable at the end of the command; nil where the system has none, and then we look from time to time.
    private let processDescriptor: ChildDescriptor?
    private let processNumber: Int32?
    private let started: Int
    private var output: StreamRelay
    private var error: StreamRelay
    private var waits = [pollfd](repeating: pollfd(), count: 1 + 2 * StreamRelay.waitCount)

    /// How long the descendants may go on writing after the command's end.
    static let lingerMicroseconds = 200_000
    static let lookMilliseconds: Int32 = 20

    private init(
        _ process: pid_t, started: Int, output: consuming StreamRelay, error: consuming StreamRelay
    ) {
        self.process = process
        self.started = started
        self.output = output
        self.error = error
        processDescriptor = ChildSystem.openProcess(process)
        processNumber =
            switch processDescriptor {
            case .some(let descriptor): descriptor.raw
            case .none: nil
            }
    }

    static func start(
        _ arguments: [[UInt8]], destinations: (output: Int32, error: Int32)
    ) throws(ChildError) -> RunningChild {
        let output = try orThrow(ChildError.lost) { () throws(SystemFailure) in try ChildSystem.pipe() }
        let error = try orThrow(ChildError.lost) { () throws(SystemFailure) in try ChildSystem.pipe() }
        let started = ChildSystem.microseconds
        let process = try orThrow(ChildError.cannotStart) { () throws(SystemFailure) in
            try ChildSystem.spawn(arguments, standardOutput: output.writing, standardError: error.writing)
        }
        ChildSystem.startForwarding(to: process)
        // Our own writing ends close here, so that the pipes end with their last writer.
        return RunningChild(
            process, started: started, output: StreamRelay(from: output.reading, to: destinations.output),
            error: StreamRelay(from: error.reading, to: destinations.error))
    }

    private static func orThrow<Result: ~Copyable>(
        _ error: (Int32) -> ChildError, _ body: () throws(SystemFailure) -> Result
    ) throws(ChildError) -> Result {
        do throws(SystemFailure) { return try body() } catch let failure { throw error(failure.number) }
    }

    /// Passes everything on until the command has ended and its output is through.
    mutating func finish(
        _ outputSink: (Span<UInt8>) -> Void, _ errorSink: (Span<UInt8>) -> Void
    ) throws(ChildError) -> ChildProcess.Outcome {
        var failure: SystemFailure?
        do throws(SystemFailure) {
            try relayUntilEnd(outputSink, errorSink)
        } catch {
            // The command must not outlive its record unseen: without readers it ends, and we wait for it below.
            failure = error
            output.giveUp(error.number)
            self.error.giveUp(error.number)
            awaitEnd()
        }
        let ended = ChildSystem.microseconds
        ChildSystem.stopForwarding()
        let status: ChildProcess.Status
        do throws(SystemFailure) {
            status = try ChildSystem.reap(process)
            if let failure { throw failure }
            try relayRest(until: ended + Self.lingerMicroseconds, outputSink, errorSink)
        } catch { throw .lost(error.number) }
        return ChildProcess.Outcome(
            status: status, durationMicroseconds: ended - started, standardOutput: output.passage,
            standardError: error.passage)
    }

    private mutating func relayUntilEnd(
        _ outputSink: (Span<UInt8>) -> Void, _ errorSink: (Span<UInt8>) -> Void
    ) throws(SystemFailure) {
        while true {
            waits[0] = pollfd(fd: processNumber ?? -1, events: Int16(POLLIN), revents: 0)
            try relayOnce(milliseconds: processNumber == nil ? Self.lookMilliseconds : -1, outputSink, errorSink)
            if processNumber == nil || waits[0].revents != 0, try ChildSystem.hasEnded(process) { return }
        }
    }

    /// After the command's end: what lay in the pipes is owed, what comes on top has until the deadline.
    private mutating func relayRest(
        until deadline: Int, _ outputSink: (Span<UInt8>) -> Void, _ errorSink: (Span<UInt8>) -> Void
    ) throws(SystemFailure) {
        output.noteEnd()
        error.noteEnd()
        waits[0] = pollfd(fd: -1, events: 0, revents: 0)
        while true {
            let rest = deadline - ChildSystem.microseconds
            if rest <= 0 {
                output.refuseMore()
                error.refuseMore()
            }
            // Our reader may never come back; whoever wants us to end then is heard, within the second that a wait takes.
            if ChildSystem.isInterrupted {
                output.giveUp(EINTR)
                error.giveUp(EINTR)
            }
            if output.isDone, error.isDone { return }
            try relayOnce(milliseconds: rest > 0 ? Int32(rest / 1_000 + 1) : 1_000, outputSink, errorSink)
        }
    }

    private mutating func relayOnce(
        milliseconds: Int32, _ outputSink: (Span<UInt8>) -> Void, _ errorSink: (Span<UInt8>) -> Void
    ) throws(SystemFailure) {
        output.prepare(&waits, at: 1)
        error.prepare(&waits, at: 1 + StreamRelay.waitCount)
        try ChildSystem.wait(&waits, milliseconds: milliseconds)
        try output.advance(waits, at: 1, outputSink)
        try error.advance(waits, at: 1 + StreamRelay.waitCount, errorSink)
    }

    /// Without a loop; signals are passed on meanwhile.
    private func awaitEnd() {
        var none: [pollfd] = []
        while let ended = try? ChildSystem.hasEnded(process), !ended {
            try? ChildSystem.wait(&none, milliseconds: Self.lookMilliseconds)
        }
    }
}
