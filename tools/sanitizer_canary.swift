// What a sanitizer must find, and what it must not: tools/sanitizers.sh runs it before it believes a sanitizer's silence.
import Dispatch
import Synchronization

/// Reached by several threads, one number under a lock and one bare.
final class Numbers: @unchecked Sendable {
    let mutex = Mutex(())
    var guarded = 0
    var bare = 0
}

let numbers = Numbers()
let defect = CommandLine.arguments.dropFirst().first

DispatchQueue.concurrentPerform(iterations: 8) { _ in
    for _ in 0..<20_000 { numbers.mutex.withLock { _ in numbers.guarded += 1 } }
    if defect == "race" { numbers.bare += 1 }
}

let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 8)
bytes.initialize(repeating: 0, count: 8)
if defect == "overflow" { bytes[8] = 1 }
print(numbers.guarded + Int(bytes[7]))
bytes.deallocate()
