import Dispatch
import DurableFiles
import Testing

@Suite("A value handed from a thread to a task")
struct HandoverTests {
    private final class Box: Sendable {
        let number: StateLock<Int>
        init(_ number: Int) { self.number = StateLock(number) }
    }

    @Test("it arrives, whether the task waits for it already or not yet", arguments: [true, false])
    func arrival(isEarly: Bool) async {
        let queue = DispatchQueue(label: "giver")
        for number in 0..<200 {
            let values: [Int] = await Handover.awaitValue { handover in
                queue.async { handover.give([number, number + 1]) }
                // The queue is serial: behind this the value was given, and the task has not suspended yet.
                if isEarly { queue.sync {} }
            }
            #expect(values == [number, number + 1])
        }
    }

    @Test("what was given lives as long as who got it wants, and no longer")
    func lifetime() async {
        weak var observed: Box?
        do {
            let box = await Handover.awaitValue { handover in handover.give(Box(7)) }
            observed = box
            #expect(box.number.withLock(\.self) == 7)
        }
        #expect(observed == nil)
    }
}
