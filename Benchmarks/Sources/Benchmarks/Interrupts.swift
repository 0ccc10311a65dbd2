import Foundation
import Synchronization

/// An interrupted run leaves nothing behind either: the child ends, and the work stops where it would start the next.
enum Interrupts {
    static let signals = [SIGINT, SIGTERM, SIGHUP]

    private static let isRaised = Atomic(false)
    /// The process that runs now, or 0.
    private static let child = Atomic<pid_t>(0)

    /// Takes the signals as long as the sources live.
    static func take() -> [any DispatchSourceSignal] {
        signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                isRaised.store(true, ordering: .relaxed)
                let child = child.load(ordering: .relaxed)
                if child > 0 { kill(child, SIGTERM) }
            }
            source.resume()
            return source
        }
    }

    static func watch(_ process: pid_t) { child.store(process, ordering: .relaxed) }

    static func check() throws {
        if isRaised.load(ordering: .relaxed) { throw ChildProcess.Failure(description: "interrupted") }
    }
}
