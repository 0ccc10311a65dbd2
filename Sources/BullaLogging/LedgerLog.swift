public import Bulla
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import Logging
import Synchronization

/// Where the loggers of a program write to a ledger: a queue, and a task that records what is in it.
///
///     let log = try LedgerLog(LedgerDirectory("/var/lib/bulla"))
///     let logger = Logger(label: "shop.orders") { log.handler(label: $0) }
///     logger.info("order taken", metadata: ["order": "4711"])
///     try await log.close()
///
/// A call of a logger never waits for the disk. Lines are recorded in the order of the calls, many with one sync. When more
/// come than the disk takes, the queue fills up; what finds no room is counted, and an entry `log.dropped` says how many
/// lines are missing at its place. What is in the queue when the process ends is lost: call ``close()`` before.
public final class LedgerLog: Sendable {
    private let ledger: LedgerDirectory
    private let actor: String?
    private let queue: Mutex<LogQueue>
    /// Nil before the first line, and behind a failure: the ledger is opened anew then.
    private let writer = Mutex<LedgerWriter?>(nil)
    /// Lines are known by it and a number: one whose outcome is unknown can be recorded again, and is there once.
    private let run = String(Environment.system.random(), radix: 16)
    private let lineCount = Atomic<UInt64>(0)

    /// Opens nothing yet but looks whether the ledger is there.
    ///
    /// - Parameters:
    ///   - capacity: how many lines may wait to be recorded, 1 or more.
    ///   - actor: who writes, `kind:name`; by default `service:` and the logger's label.
    /// - Throws: `usage` when the actor is none, or when there is no ledger; `refused` for the house's own name.
    public init(_ ledger: LedgerDirectory, capacity: Int = 10_000, actor: String? = nil) throws(LedgerFailure) {
        self.ledger = ledger
        self.actor = actor
        queue = Mutex(LogQueue(capacity: max(1, capacity)))
        if let actor, LogRecord.draft(LogRecord.action, actor, [:], id: run) == nil {
            throw LedgerFailure(LedgerError(.usage, DraftError.actor(actor).description))
        }
        if actor == ActorRoster.house { throw LedgerFailure(LedgerError(.refused, DraftError.houseName.description)) }
        _ = try openedWriter()
    }

    /// The handler of one logger.
    public func handler(label: String) -> LedgerLogHandler {
        LedgerLogHandler(self, label: label, actor: actor ?? LogRecord.actor(of: label))
    }

    /// Returns when everything that was logged before the call is durable.
    ///
    /// - Throws: why it is not; it stays in the queue, and is tried again with the next line, `flush` or `close`.
    public func flush() async throws(LedgerFailure) { try await wait(closing: false) }

    /// The same, and what is logged from now on is dropped.
    public func close() async throws(LedgerFailure) { try await wait(closing: true) }

    /// How many lines found no room, or came behind `close`, and are lost.
    public var lostCount: Int { queue.withLock(\.lostCount) }

    func record(_ event: LogEvent, _ metadata: Logger.Metadata, label: String, actor: String) {
        let draft = LogRecord.draft(event, metadata, label: label, actor: actor, id: nextID())
        let now = Environment.system.uptime()
        if queue.withLock({ $0.take(draft, now: now, dropped: dropped) }) { startDraining() }
    }

    private func nextID() -> String { "log:\(run):\(lineCount.add(1, ordering: .relaxed).newValue)" }

    private func dropped(_ count: Int) -> Draft { LogRecord.dropped(count, actor: actor ?? "service:log", id: nextID()) }

    private func wait(closing: Bool) async throws(LedgerFailure) {
        let result = await Handover.awaitValue { waiter in
            if queue.withLock({ $0.wait(waiter, closing: closing, dropped: dropped) }) { startDraining() }
        }
        try result.get()
    }

    private func startDraining() { Task.detached { await self.drain() } }

    private func drain() async {
        while true {
            let (batch, satisfied) = queue.withLock { queue in (queue.batch(dropped: dropped), queue.takeSatisfied()) }
            for waiter in satisfied { waiter.give(.success(())) }
            if batch.isEmpty { return }
            let (count, failure) = await append(batch)
            if failure != nil { writer.withLock { $0 = nil } }
            let now = Environment.system.uptime()
            let told = queue.withLock { $0.settle(count, failure, now: now) }
            for (waiter, result) in told { waiter.give(result) }
            if failure != nil { return }
        }
    }

    /// Answers how many of them are durable, and why the one behind those is not.
    private func append(_ batch: [Draft]) async -> (count: Int, failure: LedgerFailure?) {
        let writer: LedgerWriter
        do throws(LedgerFailure) {
            writer = try openedWriter()
        } catch {
            return (0, error)
        }
        let answers = await writer.append(inOrder: batch)
        for (index, answer) in answers.enumerated() {
            if case .failure(let error) = answer { return (index, LedgerFailure(error)) }
        }
        return (answers.count, nil)
    }

    private func openedWriter() throws(LedgerFailure) -> LedgerWriter {
        if let open = writer.withLock(\.self) { return open }
        let open = try ledger.openWriter()
        writer.withLock { $0 = open }
        return open
    }
}
