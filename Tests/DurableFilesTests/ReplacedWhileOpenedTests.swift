import Dispatch
import DurableFiles
import Synchronization
import TestSupport
import Testing

@Suite("A file that is replaced while it is opened")
struct ReplacedWhileOpenedTests {
    @Test("readers of HEAD, beside a writer who replaces it again and again, are never told that it has no name")
    func replaced() throws {
        let directory = TemporaryDirectory()
        let made = try POSIXStorage(constructing: directory("base"), random: 1)
        try made.create(Layout.head, Array("first".utf8).span)
        try made.publish()
        let storages = try (0..<2).map { _ in try POSIXStorage(path: directory("base")) }
        let failures = Mutex<[String]>([])
        let isOver = Mutex(false)
        DispatchQueue.concurrentPerform(iterations: 2) { index in
            let storage = storages[index]
            do throws(StorageError) {
                if index == 0 {
                    let aside = StoragePath("HEAD.new")
                    for _ in 0..<20_000 {
                        _ = try storage.open(aside, .create)
                        try storage.rename(aside, to: Layout.head)
                    }
                    isOver.withLock { $0 = true }
                } else {
                    while !isOver.withLock({ $0 }) { _ = try storage.open(Layout.head, .read) }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
                isOver.withLock { $0 = true }
            }
        }
        #expect(failures.withLock { $0 }.isEmpty)
    }
}
