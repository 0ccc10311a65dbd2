import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the current thread holds, and what it may therefore take (design §6).
///
/// STATE locks guard memory, IO locks guard files. Inside an I/O section no STATE lock is taken; while a STATE lock is
/// held no I/O starts; the user interface holds neither. IO locks are taken in sorted path order. A violation is a broken
/// invariant of the program: it stops the process, in every build.
package enum LockConstitution {
    /// Stops the process if the thread holds a lock: called before the user interface draws or waits.
    package static func holdsNothing(_ what: StaticString = "drawing") {
        let held = current
        precondition(!held.holdsState, "lock constitution: \(what) while holding a STATE lock")
        precondition(held.paths.isEmpty, "lock constitution: \(what) inside an I/O section")
    }

    static func enterState() {
        let held = current
        precondition(held.paths.isEmpty, "lock constitution: a STATE lock taken inside an I/O section")
        precondition(!held.holdsState, "lock constitution: a STATE lock taken while holding another")
        held.holdsState = true
    }

    static func leaveState() { current.holdsState = false }

    static func enterIO(_ path: String) {
        let held = current
        precondition(!held.holdsState, "lock constitution: I/O started while holding a STATE lock")
        if let last = held.paths.last {
            precondition(last < path, "lock constitution: IO locks taken out of path order")
        }
        held.paths.append(path)
    }

    static func leaveIO() { current.paths.removeLast() }

    private final class Held {
        var holdsState = false
        var paths: [String] = []
    }

    private static let threadKey: pthread_key_t = {
        var key = pthread_key_t()
        let failure = unsafe pthread_key_create(&key) { pointer in
            guard let pointer = unsafe pointer else { return }
            unsafe Unmanaged<Held>.fromOpaque(pointer).release()
        }
        precondition(failure == 0, "the system has no thread-specific storage left")
        return key
    }()

    /// One record a thread, owned by the thread's storage.
    private static var current: Held {
        if let pointer = unsafe pthread_getspecific(threadKey) {
            return unsafe Unmanaged<Held>.fromOpaque(pointer).takeUnretainedValue()
        }
        let held = Held()
        unsafe pthread_setspecific(threadKey, Unmanaged.passRetained(held).toOpaque())
        return held
    }
}

/// A STATE lock: memory that several threads reach. The section is a synchronous closure, so it cannot outlive the lock.
package final class StateLock<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    package init(_ value: Value) { mutex = Mutex(value) }

    package func withLock<Result: Sendable, Failure: Error>(
        _ section: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        LockConstitution.enterState()
        defer { LockConstitution.leaveState() }
        return try mutex.withLock { value throws(Failure) in try section(&value) }
    }
}

/// An IO lock: files that several threads reach, under the path that orders it among others.
package final class IOLock<Value: Sendable>: Sendable {
    package let path: String
    private let mutex: Mutex<Value>

    package init(path: String, _ value: Value) {
        self.path = path
        mutex = Mutex(value)
    }

    package func withLock<Result: Sendable, Failure: Error>(
        _ section: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        LockConstitution.enterIO(path)
        defer { LockConstitution.leaveIO() }
        return try mutex.withLock { value throws(Failure) in try section(&value) }
    }
}
