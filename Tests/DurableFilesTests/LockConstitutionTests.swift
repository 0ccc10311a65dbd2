import DurableFiles
import Foundation
import Synchronization
import Testing

@Suite("The constitution of locks")
struct LockConstitutionTests {
    @Test("A STATE lock inside an I/O section stops the process")
    func stateInsideIO() async {
        await #expect(processExitsWith: .failure) {
            let (state, files) = (StateLock(0), IOLock(path: "ledger", 0))
            files.withLock { _ in state.withLock { _ in } }
        }
    }

    @Test("I/O under a STATE lock stops the process")
    func ioInsideState() async {
        await #expect(processExitsWith: .failure) {
            let (state, files) = (StateLock(0), IOLock(path: "ledger", 0))
            state.withLock { _ in files.withLock { _ in } }
        }
    }

    @Test("A STATE lock under another, or under itself, stops the process")
    func stateInsideState() async {
        await #expect(processExitsWith: .failure) {
            let (state, other) = (StateLock(0), StateLock(0))
            state.withLock { _ in other.withLock { _ in } }
        }
        await #expect(processExitsWith: .failure) {
            let state = StateLock(0)
            state.withLock { _ in state.withLock { _ in } }
        }
    }

    @Test("IO locks out of path order stop the process, also one taken twice and one inside two")
    func order() async {
        await #expect(processExitsWith: .failure) {
            let (first, second) = (IOLock(path: "a", 0), IOLock(path: "b", 0))
            second.withLock { _ in first.withLock { _ in } }
        }
        await #expect(processExitsWith: .failure) {
            let lock = IOLock(path: "a", 0)
            lock.withLock { _ in lock.withLock { _ in } }
        }
        await #expect(processExitsWith: .failure) {
            let (lock, twin) = (IOLock(path: "a", 0), IOLock(path: "a", 0))
            lock.withLock { _ in twin.withLock { _ in } }
        }
        await #expect(processExitsWith: .failure) {
            let (a, b, c) = (IOLock(path: "a", 0), IOLock(path: "b", 0), IOLock(path: "c", 0))
            a.withLock { _ in c.withLock { _ in b.withLock { _ in } } }
        }
    }

    @Test("Drawing under either kind of lock stops the process")
    func drawing() async {
        await #expect(processExitsWith: .failure) { StateLock(0).withLock { _ in LockConstitution.holdsNothing() } }
        await #expect(processExitsWith: .failure) {
            IOLock(path: "a", 0).withLock { _ in LockConstitution.holdsNothing("waiting") }
        }
    }

    @Test("A violation after lawful use stops the process as well")
    func late() async {
        await #expect(processExitsWith: .failure) {
            let (state, files) = (StateLock(0), IOLock(path: "ledger", 0))
            for _ in 0..<10 {
                state.withLock { $0 += 1 }
                files.withLock { $0 += 1 }
                LockConstitution.holdsNothing()
            }
            files.withLock { _ in state.withLock { _ in } }
        }
    }

    @Test("State and I/O alternate, IO locks nest in path order, drawing holds nothing")
    func lawful() async {
        // In a process of its own, so that a false alarm is one failure and not the end of all tests.
        await #expect(processExitsWith: .success) {
            let (state, other) = (StateLock(1), StateLock(2))
            let (a, b, c) = (IOLock(path: "a", 0), IOLock(path: "ab", 0), IOLock(path: "b", 0))
            for _ in 0..<3 {
                LockConstitution.holdsNothing()
                let sum = state.withLock { $0 } + other.withLock { $0 }
                precondition(sum == 3)
                a.withLock { _ in
                    b.withLock { _ in c.withLock { $0 += 1 } }
                    c.withLock { $0 += 1 }
                }
                b.withLock { $0 += 1 }
                a.withLock { $0 += 1 }
                LockConstitution.holdsNothing("waiting")
            }
        }
    }

    @Test("A section that throws gives its lock back")
    func throwing() async {
        await #expect(processExitsWith: .success) {
            struct Failure: Error {}
            let (state, files) = (StateLock(0), IOLock(path: "ledger", 0))
            do throws(Failure) {
                try state.withLock { value throws(Failure) in
                    value = 1
                    throw Failure()
                }
            } catch {}
            do throws(Failure) {
                try files.withLock { value throws(Failure) in
                    value = 1
                    throw Failure()
                }
            } catch {}
            LockConstitution.holdsNothing()
            precondition(state.withLock { $0 } == 1)
            precondition(files.withLock { $0 } == 1)
        }
    }

    @Test("What one thread holds binds no other, and contending threads count correctly")
    func contention() {
        let (state, files) = (StateLock(0), [IOLock(path: "a", 0), IOLock(path: "b", 0)])
        let both = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<5000 {
                state.withLock { $0 += 1 }
                files[0].withLock { a in
                    a += 1
                    files[1].withLock { b in
                        b += 1
                        if a == b { both.add(1, ordering: .relaxed) }
                    }
                }
                LockConstitution.holdsNothing()
            }
        }
        #expect(state.withLock { $0 } == 40_000)
        #expect(files.map { $0.withLock { $0 } } == [40_000, 40_000])
        #expect(both.load(ordering: .relaxed) == 40_000)
    }
}
