import Ledger
import Testing

@Suite("The system's clocks")
struct SystemClockTests {
    @Test("the boot's clock rises, and the system's shows the same moment once the offset of this process is put back")
    func bootClock() {
        let first = Environment.system.bootTime()
        let second = Environment.system.bootTime()
        #expect(first.boot == second.boot && first.microseconds <= second.microseconds)
        let shown = Environment.systemClock(at: first.microseconds)
        if let offset = Namespaces.bootClockOffset {
            #expect(shown == first.microseconds + offset)
        } else {
            #expect(shown == .max && first.boot.isEmpty)
        }
    }
}
