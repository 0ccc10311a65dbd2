import Dispatch
package import DurableFiles
package import LedgerFormat

/// One writer for many tasks: what waits is sealed as one block and made durable by one sync (group commit).
package final class GroupCommitter: Sendable {
    private struct Request: Sendable {
        var drafts: [Draft]
        var answer: CheckedContinuation<Result<WriterSession.Answer, LedgerError>, Never>
    }

    private struct Queue: Sendable {
        var requests: [Request] = []
        var isDraining = false
    }

    /// STATE: who waits.
    private let queue = StateLock(Queue())
    /// IO: the ledger's files.
    private let session: IOLock<WriterSession>
    private let worker = DispatchQueue(label: "bulla.committer")
    private let arrivals = DispatchSemaphore(value: 0)
    private let environment: Environment

    package init(_ storage: any Storage, _ environment: Environment, _ settings: WriterSettings = WriterSettings()) {
        self.environment = environment
        session = IOLock(path: storage.basePath, WriterSession(storage, environment, settings))
    }

    /// Records one decision; returns when it is durable.
    package func append(_ drafts: [Draft]) async throws(LedgerError) -> WriterSession.Answer {
        let result = await withCheckedContinuation { answer in
            let mustStart = queue.withLock { queue in
                queue.requests.append(Request(drafts: drafts, answer: answer))
                defer { queue.isDraining = true }
                return !queue.isDraining
            }
            if mustStart { worker.async { self.drain() } } else { arrivals.signal() }
        }
        return try result.get()
    }

    /// Longest wait for those who were answered last time to come again, in microseconds.
    private static let lingerMicrosecondsMax: Int64 = 5000

    private func drain() {
        while let requests = take() {
            let start = environment.uptime()
            let answers = session.withLock { session in Self.commit(requests, &session) }
            for (request, answer) in zip(requests, answers) { request.answer.resume(returning: answer) }
            linger(
                for: requests.count, until: environment.uptime() + min(environment.uptime() - start, Self.lingerMicrosecondsMax))
        }
    }

    private static func commit(_ requests: [Request], _ session: inout WriterSession) -> [Result<
        WriterSession.Answer, LedgerError
    >] {
        do throws(LedgerError) {
            if !session.isHolding { try session.acquire() }
        } catch {
            return requests.map { _ in .failure(error) }
        }
        let answers = session.commit(requests.map(\.drafts))
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
                if queue.requests.isEmpty { queue.isDraining = false }
                return queue.requests.isEmpty
            }
            if isOver { return nil }
        }
    }

    /// Waits until as many requests are there as last time: a sync for few costs what a sync for all does.
    private func linger(for count: Int, until deadline: Int64) {
        while queue.withLock({ $0.requests.count }) < count {
            let left = deadline - environment.uptime()
            if left <= 0 || arrivals.wait(timeout: .now() + .microseconds(Int(left))) == .timedOut { return }
        }
    }
}
