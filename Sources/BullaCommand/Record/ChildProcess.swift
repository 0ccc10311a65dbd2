#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

import Synchronization
import SystemPackage

/// Runs a command as if we were not there: it inherits our input, its two output streams go through to ours byte for byte, and
/// the signals that others send to us reach it.
///
/// It ends with the command, not with what the command left running. What lay in the pipes then is still passed on, however
/// long our readers take. A descendant that holds them open has a short while more (a `tee` that finishes after its shell);
/// what it writes later meets a closed pipe. To wait for it would hang `record -- sh -c 'daemon &'` as long as the daemon
/// lives, and its command would have no end to record; a daemon that is to survive redirects its output, as it must under
/// any runner that reads pipes.
package struct ChildProcess {
    package enum Status: Equatable {
        case exited(Int32)
        case signaled(Int32)
    }

    /// What went through one stream.
    package struct Passage: Equatable {
        package var byteCount = 0
        /// The error (errno) after which nothing more was passed on, EINTR where a signal ended that; nil when all was.
        package var failure: Int32?

        package init(byteCount: Int = 0, failure: Int32? = nil) {
            self.byteCount = byteCount
            self.failure = failure
        }
    }

    package struct Outcome: Equatable {
        package let status: Status
        /// From just before the start to the end of the command itself, on the monotonic clock.
        package let durationMicroseconds: Int
        package let standardOutput: Passage
        package let standardError: Passage

        /// The code to pass on: the command's own, or 128 and the signal's number as shells give it.
        package var exitCode: Int32 {
            switch status {
            case .exited(let code): code
            case .signaled(let signal): 128 + signal
            }
        }
    }

    /// Signals belong to the process, so that only one command runs at a time; a second caller waits.
    private static let turn = Mutex(())

    /// Runs to the end of the command, in which no signal but KILL and STOP ends us.
    ///
    /// - Parameters:
    ///   - arguments: The raw arguments, the first looked up in PATH.
    ///   - destinations: The descriptors of our own streams.
    ///   - standardOutput: Is given what the command writes, in the order and at the time it is read.
    ///   - standardError: The same for the other stream.
    package static func run(
        arguments: [[UInt8]], destinations: (output: Int32, error: Int32) = (STDOUT_FILENO, STDERR_FILENO),
        standardOutput: (Span<UInt8>) -> Void, standardError: (Span<UInt8>) -> Void
    ) throws(ChildError) -> Outcome {
        guard !arguments.isEmpty, !arguments.contains(where: { $0.contains(0) }) else { throw .cannotStart(EINVAL) }
        return try turn.withLock { _ throws(ChildError) in
            ChildSystem.beginForwarding()
            defer { ChildSystem.endForwarding() }
            var running = try RunningChild.start(arguments, destinations: destinations)
            return try running.finish(standardOutput, standardError)
        }
    }
}

/// Why a command did not run, or how far we could follow it.
package enum ChildError: Error, Equatable {
    /// The system did not start it, for this reason (errno). ENOEXEC for a script without a `#!` line: no shell is guessed.
    case cannotStart(Int32)
    /// A call of our own failed (errno); the command may have run, and was waited for.
    case lost(Int32)

    /// As shells have it: 127 not found, 126 found but not started; 125 for a failure of ours.
    package var exitCode: Int32 {
        switch self {
        case .cannotStart(ENOENT): 127
        case .cannotStart: 126
        case .lost: 125
        }
    }
}

extension ChildError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotStart(let number): "cannot be started: \(Errno(rawValue: number))"
        case .lost(let number): "the run could not be followed to its end: \(Errno(rawValue: number))"
        }
    }
}
