/// One value from a thread to the task that awaits it.
///
/// The value goes through a lock and the continuation only wakes the task. A continuation that is resumed before its task has
/// suspended hands its value on by atomics inside Swift's runtime, which the thread sanitizer does not see: it would call every use
/// of the value a race, and hide a true one among them.
package struct Handover<Value: Sendable>: Sendable {
    private let slot: StateLock<Value?>
    private let waiter: CheckedContinuation<Void, Never>

    /// Calls `start` at once, and returns what is given to the handover it gets.
    package static func awaitValue(_ start: (Handover<Value>) -> Void) async -> Value {
        let slot = StateLock<Value?>(nil)
        await withCheckedContinuation { waiter in start(Handover(slot: slot, waiter: waiter)) }
        guard let value = slot.withLock(\.self) else { preconditionFailure("a task was woken without its value") }
        return value
    }

    /// Exactly once, and outside of every lock.
    package func give(_ value: Value) {
        slot.withLock { $0 = value }
        waiter.resume()
    }
}
