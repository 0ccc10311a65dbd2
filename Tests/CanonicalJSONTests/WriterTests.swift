import CanonicalJSON
import Testing

@Suite("Writer")
struct WriterTests {
    @Test("a document can be written piece by piece")
    func pieces() {
        var writer = CanonicalWriter(reserving: 100)
        writer.beginObject()
        writer.key("a")
        writer.beginArray()
        writer.null()
        writer.bool(true)
        writer.integer(-7)
        writer.unsigned(1 << 63)
        writer.number(0.1)
        writer.beginObject()
        writer.endObject()
        writer.endArray()
        writer.key("b")
        writer.canonical(bytes("[1]"))
        writer.key("c")
        writer.value(["z": [], "y": "\n"])
        #expect(!writer.isComplete)
        writer.endObject()
        #expect(writer.isComplete)
        let expected = #"{"a":[null,true,-7,9223372036854776000,0.1,{}],"b":[1],"c":{"y":"\n","z":[]}}"#
        #expect(writer.bytes == bytes(expected))
        #expect(writer.finish() == bytes(expected))
    }

    @Test("keys out of order, or twice, stop the process")
    func keyOrder() async {
        await #expect(processExitsWith: .failure) {
            var writer = CanonicalWriter()
            writer.beginObject()
            writer.key("b")
            writer.null()
            writer.key("a")
        }
        await #expect(processExitsWith: .failure) {
            var writer = CanonicalWriter()
            writer.beginObject()
            writer.key("\n")
            writer.null()
            writer.key("\n")
        }
    }

    @Test("calls that do not pair up stop the process")
    func unbalanced() async {
        await #expect(processExitsWith: .failure) {
            var writer = CanonicalWriter()
            writer.beginObject()
            writer.endArray()
        }
        await #expect(processExitsWith: .failure) {
            var writer = CanonicalWriter()
            writer.beginObject()
            writer.null()
        }
        await #expect(processExitsWith: .failure) {
            var writer = CanonicalWriter()
            writer.beginArray()
            writer.key("a")
        }
        await #expect(processExitsWith: .failure) {
            var writer = CanonicalWriter()
            writer.beginObject()
            writer.key("a")
            writer.endObject()
        }
        await #expect(processExitsWith: .failure) {
            var writer = CanonicalWriter()
            writer.null()
            writer.null()
        }
        await #expect(processExitsWith: .failure) {
            var writer = CanonicalWriter()
            writer.beginArray()
            _ = writer.finish()
        }
    }

    @Test("an integer that no double holds stops the process")
    func inexactInteger() async {
        await #expect(processExitsWith: .failure) {
            var writer = CanonicalWriter()
            writer.integer(9_007_199_254_740_993)
        }
    }
}
