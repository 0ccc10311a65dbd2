import Lanes
import Testing

@Suite("Lanes: trees") struct TreeTests {
    @Test("Kinds are named as they are recorded") func kinds() {
        #expect(LaneKind.allCases.map(\.rawValue) == ["shared", "cluster", "exclusive"])
    }
}
