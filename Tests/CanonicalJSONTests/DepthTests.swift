import CanonicalJSON
import Testing

@Suite("Depth")
struct DepthTests {
    private func nested(_ depth: Int) -> [UInt8] {
        bytes((0..<depth).map { $0 % 2 == 0 ? "[" : "{\"k\":" }.joined())
            + bytes("1") + bytes((0..<depth).reversed().map { $0 % 2 == 0 ? "]" : "}" }.joined())
    }

    @Test("as many levels as allowed are read, one more is refused", arguments: [0, 1, 2, 48, 63, 64])
    func limit(depth: Int) {
        #expect(parseFault(nested(depth), maximumDepth: depth) == nil)
        #expect(canonicalFault(nested(depth), maximumDepth: depth) == nil)
        // Each pair of levels takes six bytes, an array alone one.
        let offset = depth / 2 * 6 + depth % 2
        let error = JSONError(.depthExceeded, at: offset)
        #expect(parseFault(nested(depth + 1), maximumDepth: depth) == error)
        #expect(canonicalFault(nested(depth + 1), maximumDepth: depth) == error)
    }

    @Test("empty containers count, scalars do not")
    func empty() {
        #expect(parseFault(bytes("1"), maximumDepth: 0) == nil)
        #expect(parseFault(bytes("{}"), maximumDepth: 0) == JSONError(.depthExceeded, at: 0))
        #expect(canonicalFault(bytes("[]"), maximumDepth: 0) == JSONError(.depthExceeded, at: 0))
        #expect(canonicalFault(bytes("[[]]"), maximumDepth: 1) == JSONError(.depthExceeded, at: 1))
    }

    @Test("containers that the caller has entered count")
    func openContainers() {
        var scanner = CanonicalScanner()
        #expect(throws: Never.self) { try scanner.skipValue(in: bytes("[[]]").span, openContainers: 62) }
        scanner.position = 0
        #expect(throws: JSONError(.depthExceeded, at: 1)) {
            try scanner.skipValue(in: bytes("[[]]").span, openContainers: 63)
        }
        scanner.position = 0
        #expect(throws: JSONError(.depthExceeded, at: 0)) {
            try scanner.skipValue(in: bytes("[]").span, openContainers: 99)
        }
    }

    @Test("a million brackets are refused at the limit")
    func bomb() {
        let bomb = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(parseFault(bomb) == JSONError(.depthExceeded, at: 64))
        #expect(canonicalFault(bomb) == JSONError(.depthExceeded, at: 64))
    }

    @Test("siblings behind deep values keep their order checked")
    func restoredKeys() {
        let deep = String(decoding: nested(60), as: UTF8.self)
        #expect(canonicalFault(bytes("{\"b\":\(deep),\"c\":\(deep)}")) == nil)
        let text = "{\"b\":\(deep),\"a\":1}"
        #expect(canonicalFault(bytes(text))?.kind == .notCanonicalOrder)
        #expect(canonicalFault(bytes("{\"\\n\":\(deep),\"\\t\":1}"))?.kind == .notCanonicalOrder)
    }
}
