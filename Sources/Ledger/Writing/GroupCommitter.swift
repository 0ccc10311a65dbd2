import Dispatch
package import DurableFiles
package import LedgerFormat

/// One writer for many tasks: what waits is sealed as one block and made durable by one sync (group commit).
///
/// Who finds nobody before him commits at once, on a thread of the concurrent pool: an append that is alone pays for no
/// change of threads. One such thread at most waits for the disk, and none for the ledger's lock. Whoever comes meanwhile
/// queues, and a worker serves the queue until it is empty.
package final class GroupCommitter: Sendable {
    private struct Request: Sendable {
        var decisions: [[Draft]]
        var answer: Handover<[Result<WriterSession.Answer, LedgerError>]>
    }

    private struct Queue: Sendable {
        var requests: [Request] = []
        /// Somebody commits, or is about to: others queue.
        var isServed = false
        /// How many requests the worker waits for; 0 while it does not wait.
        var awaitedCount = 0
        /// Commits by callers themselves.
        var directCommitCount: UInt64 = 0
        /// A look at whether they have ended is due.
        var isWatched = false

        /// Whether the caller is the one who commits from now on.
        mutating func serve() -> Bool {
            defer { isServed = true }
            return !isServed
        }
    }

    /// STATE: who waits.
    private let queue = StateLock(Queue())
    /// IO: the ledger's files.
    private let session: IOLock<WriterSession>
    private let worker = DispatchQueue(label: "bulla.committer")
    private let visitors = DispatchQueue(label: "bulla.committer.visitors")
    private let arrivals = DispatchSemaphore(value: 0)
    private let environment: Environment

    package init(
        _ storage: any Storage, _ environment: Environment, _ settings: WriterSettings = WriterSettings(),
        anchor: (any AnchorStore)? = nil
    ) {
        self.environment = environment
        session = IOLock(path: storage.basePath, WriterSession(storage, environment, settings, anchor: anchor))
    }

    /// Records one decision; returns when it is durable.
    package func append(_ drafts: [Draft]) async throws(LedgerError) -> WriterSession.Answer {
        try await append(inOrder: [drafts])[0].get()
    }

    /// Records a run of decisions, one answer each; what follows one that fails is not recorded.
    ///
    /// Off the caller's actor, which would stand still, and could not send what shares the sync.
    @concurrent
    package func append(inOrder decisions: [[Draft]]) async -> [Result<WriterSession.Answer, LedgerError>] {
        let isServing = queue.withLock { $0.serve() }
        if isServing, let answers = commitDirectly(decisions) { return answers }
        return await Handover.awaitValue { answer in
            let (mustStart, isAwaited) = queue.withLock { queue in
                queue.requests.append(Request(decisions: decisions, answer: answer))
                return (isServing || queue.serve(), queue.requests.count == queue.awaitedCount)
            }
            if mustStart { worker.async { self.drain() } }
            if isAwaited { arrivals.signal() }
        }
    }

    /// Runs a section under the ledger's lock, for what must be decided there; appends that come meanwhile queue.
    ///
    /// What is long, or asks for many entries, makes all of them wait.
    package func withSession<Answer: Sendable>(
        _ section: @escaping @Sendable (inout WriterSession) throws(LedgerError) -> Answer
    ) async throws(LedgerError) -> Answer {
        try await Handover.awaitValue { answer in
            visitors.async { answer.give(self.visit(section)) }
        }.get()
    }

    private func visit<Answer: Sendable>(
        _ section: (inout WriterSession) throws(LedgerError) -> Answer
    ) -> Result<Answer, LedgerError> {
        let isServing = queue.withLock { $0.serve() }
        let result: Result<Answer, LedgerError> = session.withLock { session in
            let wasHolding = session.isHolding
            // Who serves the queue gives the lock back, if he had it; what we took beside him is ours to give back.
            defer { if !wasHolding, !isServing { session.release() } }
            do throws(LedgerError) {
                if !wasHolding { try session.acquire() }
                return .success(try section(&session))
            } catch {
                return .failure(error)
            }
        }
        if isServing { worker.async { self.drain() } }
        return result
    }

    /// Nil if another process has the ledger's lock: waiting for it is the worker's.
    private func commitDirectly(_ decisions: [[Draft]]) -> [Result<WriterSession.Answer, LedgerError>]? {
        let answers = session.withLock { session in Self.commit([decisions], &session, waiting: false)[0] }
        if case .failure(let error)? = answers.first, error.code == .busy { return nil }
        let (hasFollowers, mustWatch) = queue.withLock { queue in
            queue.directCommitCount += 1
            let hasFollowers = !queue.requests.isEmpty
            // With followers it stays served: the worker goes on, and gives the lock back in the end.
            if !hasFollowers { queue.isServed = false }
            defer { queue.isWatched = queue.isWatched || !hasFollowers }
            return (hasFollowers, !hasFollowers && !queue.isWatched)
        }
        if hasFollowers { worker.async { self.drain() } }
        if mustWatch { watchIdleness() }
        return answers
    }

    /// How long a lock stays with a caller who commits directly and then does not come again.
    private static let idleMilliseconds = 2

    /// Gives the lock back when nobody has committed for a while: an idle holder releases.
    private func watchIdleness() {
        let seen = queue.withLock(\.directCommitCount)
        worker.asyncAfter(deadline: .now() + .milliseconds(Self.idleMilliseconds)) {
            let isIdle = self.queue.withLock { queue in
                guard queue.directCommitCount == seen, queue.serve() else { return false }
                queue.isWatched = false
                return true
            }
            if isIdle { self.drain() } else { self.watchIdleness() }
        }
    }

    /// Longest wait for those who were answered last time to come again, in microseconds.
    private static let lingerMicrosecondsMax: Int64 = 5000

    private func drain() {
        while let requests = take() {
            let start = environment.uptime()
            let answers = session.withLock { session in Self.commit(requests.map(\.decisions), &session, waiting: true) }
            for (request, answer) in zip(requests, answers) { request.answer.give(answer) }
            linger(
                for: requests.count, until: environment.uptime() + min(environment.uptime() - start, Self.lingerMicrosecondsMax))
        }
    }

    private static func commit(
        _ runs: [[[Draft]]], _ session: inout WriterSession, waiting: Bool
    ) -> [[Result<WriterSession.Answer, LedgerError>]] {
        do throws(LedgerError) {
            if !session.isHolding { try session.acquire(waiting: waiting) }
        } catch {
            return runs.map { run in run.map { _ in .failure(error) } }
        }
        let answers = session.commit(runs: runs)
        if session.isWantedByOthers() { session.release() } else { session.replaceHeadIfDue() }
        return answers
    }

    /// The requests that wait; with none the lock is given back, and the draining ends.
    private func take() -> [Request]? {
        while true {
            let requests = queue.withLock { queue in
                defer { queue.requests = [] }
                return queue.requests
            }
            if !requests.isEmpty { return requests }
            session.withLock { $0.release() }
            let isOver = queue.withLock { queue in
                if queue.requests.isEmpty { queue.isServed = false }
                return queue.requests.isEmpty
            }
            if isOver { return nil }
        }
    }

    /// Waits until as many requests are there as last time: a sync for few costs what a sync for all does.
    ///
    /// It is woken once, by the last of them.
    private func linger(for count: Int, until deadline: Int64) {
        func mustWait() -> Bool {
            queue.withLock { queue in
                queue.awaitedCount = queue.requests.count < count ? count : 0
                return queue.awaitedCount > 0
            }
        }
        while mustWait() {
            let left = deadline - environment.uptime()
            if left <= 0 || arrivals.wait(timeout: .now() + .microseconds(Int(left))) == .timedOut { break }
        }
        queue.withLock { $0.awaitedCount = 0 }
    }
}
