import Bulla
import DurableFiles
import Ledger
import LedgerFormat

/// What was logged and is not durable yet, in its order; a value without I/O.
struct LogQueue {
    typealias Waiter = Handover<Result<Void, LedgerFailure>>

    private let capacity: Int
    private var drafts: [Draft] = []
    /// Lines that found no room, since the last entry that says so, and in all.
    private var droppedCount = 0
    private(set) var lostCount = 0
    /// Of all that had a place here: how many came, and how many have left.
    private var acceptedCount = 0
    private var settledCount = 0
    private var waiters: [(acceptedCount: Int, waiter: Waiter)] = []
    private var isClosed = false
    /// Somebody records what is here, or is about to.
    private var isDraining = false
    /// Not tried again before, in microseconds of uptime; nil when the last attempt went well.
    private var retryTime: Int64?

    private static let retryMicroseconds: Int64 = 1_000_000
    private static let batchCount = 1000
    private static let batchByteCount = 4 << 20

    init(capacity: Int) { self.capacity = capacity }

    /// Takes a line, or counts it; answers whether the caller must start to drain.
    mutating func take(_ draft: Draft, now: Int64, dropped: (Int) -> Draft) -> Bool {
        guard !isClosed, drafts.count < capacity else {
            droppedCount += 1
            lostCount += 1
            return false
        }
        noteDrops(dropped)
        add(draft)
        if let retryTime, now < retryTime { return false }
        return startDraining()
    }

    /// Registers who waits until all that is here is durable; answers whether he must start to drain.
    mutating func wait(_ waiter: Waiter, closing: Bool, dropped: (Int) -> Draft) -> Bool {
        if closing { isClosed = true }
        noteDrops(dropped)
        waiters.append((acceptedCount, waiter))
        return startDraining()
    }

    /// What is recorded next; empty when nothing is left, and the draining is over.
    mutating func batch(dropped: (Int) -> Draft) -> [Draft] {
        if drafts.isEmpty { noteDrops(dropped) }
        var byteCount = 0
        let batch = drafts.prefix(Self.batchCount).prefix { draft in
            defer { byteCount += draft.byteCount }
            return byteCount < Self.batchByteCount
        }
        isDraining = !batch.isEmpty
        return Array(batch)
    }

    /// The first `count` of the batch are durable; with a failure the rest stays, and the draining is over.
    ///
    /// - Returns: who waited, and what they are told.
    mutating func settle(
        _ count: Int, _ failure: LedgerFailure?, now: Int64
    ) -> [(waiter: Waiter, result: Result<Void, LedgerFailure>)] {
        drafts.removeFirst(count)
        settledCount += count
        var told = takeSatisfied().map { (waiter: $0, result: Result<Void, LedgerFailure>.success(())) }
        retryTime = nil
        guard let failure else { return told }
        retryTime = now + Self.retryMicroseconds
        isDraining = false
        told += waiters.map { ($0.waiter, .failure(failure)) }
        waiters = []
        return told
    }

    /// Those who waited for nothing that is still here.
    mutating func takeSatisfied() -> [Waiter] {
        defer { waiters.removeAll { $0.acceptedCount <= settledCount } }
        return waiters.filter { $0.acceptedCount <= settledCount }.map(\.waiter)
    }

    private mutating func startDraining() -> Bool {
        defer { isDraining = true }
        return !isDraining
    }

    /// The entry stands where the lines are missing; it has its place beyond the capacity.
    private mutating func noteDrops(_ dropped: (Int) -> Draft) {
        guard droppedCount > 0 else { return }
        add(dropped(droppedCount))
        droppedCount = 0
    }

    private mutating func add(_ draft: Draft) {
        drafts.append(draft)
        acceptedCount += 1
    }
}
