/// One value from a thread to the task that awaits it.
///
/// The value goes through a lock and the continuation only wakes the task. A continuation that is resumed before its task has
/// suspended hands its value on by atomics inside Swift's runtime, which the thread sanitizer does not see: it would call every use
/// of the value a race, and hide a true one among them.
package struct Handover<Value: Sendable>: Sendable {
    @usableFromInline let slot: StateLock<Value?>
    @usableFromInline let waiter: CheckedContinuation<Void, Never>

    @inlinable
    init(slot: StateLock<Value?>, waiter: CheckedContinuation<Void, Never>) {
        self.slot = slot
        self.waiter = waiter
    }

    /// Calls `start` at once, and returns what is given to the handover it gets.
    @inlinable
    package static func awaitValue(_ start: (Handover<Value>) -> Void) async -> Value {
        let slot = StateLock<Value?>(nil)
        await withCheckedContinuation { waiter in start(Handover(slot: slot, waiter: waiter)) }
        guard let value = slot.withLock({ $0 }) else { preconditionFailure("a task was woken without its value") }
        return value
    }

    /// Exactly once, and outside of every lock.
    @inlinable
    package func give(_ value: Value) {
        slot.withLock { $0 = value }
        waiter.resume()
    }
}
