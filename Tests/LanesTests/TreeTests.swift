import Lanes
import Testing

@Suite("Lanes: trees") struct TreeTests {
    @Test("Kinds are named as the journal names them") func kinds() {
        #expect(LaneKind.allCases.map(\.rawValue) == ["exclusive", "keyword", "shared"])
    }
}
