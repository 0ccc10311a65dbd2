import Dispatch
import Foundation
import Synchronization

/// What tasks cost that wait for a thread, when nothing is recorded: the thread answers all who wait, and waits for the next.
final class Echo: Sendable {
    private struct State {
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isOver = false
    }

    private let state = Mutex(State())
    private let arrivals = DispatchSemaphore(value: 0)

    init() { Thread.detachNewThread { self.serve() } }

    func call() async {
        await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiting.append(continuation)
                return state.waiting.count == 1
            }
            if isFirst { arrivals.signal() }
        }
    }

    func end() {
        state.withLock { $0.isOver = true }
        arrivals.signal()
    }

    private func serve() {
        while true {
            arrivals.wait()
            let (waiting, isOver) = state.withLock { state in
                defer { state.waiting = [] }
                return (state.waiting, state.isOver)
            }
            for continuation in waiting { continuation.resume() }
            if isOver { return }
        }
    }
}
