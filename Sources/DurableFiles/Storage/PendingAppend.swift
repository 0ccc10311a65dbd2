import Dispatch
import Synchronization

/// A block on its way to the disk, on a thread of its own, while its owner prepares the next.
///
/// Until `wait` has returned the file is the disk thread's, and its owner leaves it alone.
package final class PendingAppend: Sendable {
    private let failure = Mutex<AppendFailure?>(nil)
    private let done = DispatchSemaphore(value: 0)

    package init(_ block: [UInt8], at offset: Int, in file: any StorageFile) {
        DispatchQueue.global(qos: .userInitiated).async {
            do throws(AppendFailure) {
                try file.append(block.span, at: offset)
            } catch {
                let failure = error
                self.failure.withLock { $0 = failure }
            }
            self.done.signal()
        }
    }

    /// Returns when the block is durable. Call it once.
    package func wait() throws(AppendFailure) {
        done.wait()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }
}
