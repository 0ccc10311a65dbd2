import BullaCommand
import Testing

@Suite("Lanes: what is left below a stopped guard")
struct StillnessTests {
    @Test("one look that sees nothing run is not enough, and two are")
    func twoLooks() {
        var stillness = Stillness()
        #expect(stillness.look(running: [], dead: [7]) == .unknown)
        #expect(stillness.look(running: [], dead: [7]) == .still)
    }

    @Test("who starts another and ends between the looks is busy, whether or not a look meets one")
    func chained() {
        var stillness = Stillness()
        #expect(stillness.look(running: [], dead: [1]) == .unknown)
        #expect(stillness.look(running: [], dead: [1, 2, 3]) == .busy)
        #expect(stillness.look(running: [4], dead: [1, 2, 3]) == .busy)
        // It ended since.
        #expect(stillness.look(running: [], dead: [1, 2, 3, 4]) == .busy)
        #expect(stillness.look(running: [], dead: [1, 2, 3, 4]) == .still)
    }
}
