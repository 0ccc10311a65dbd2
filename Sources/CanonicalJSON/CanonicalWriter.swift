/// Writes canonical JSON (RFC 8785) piece by piece, without building a tree.
///
/// Misuse stops the process: keys out of order, a value where a key belongs, calls that do not pair up, NaN, infinities.
package struct CanonicalWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var open: [Container] = []
    /// Whether the next value may be written without a comma: at the very start, or behind a key.
    private var expectsValue = true

    /// An array or object that is not closed yet.
    private struct Container {
        let isObject: Bool
        var isEmpty = true
        /// The inside of the last key, as written.
        var lastKey = 0..<0
        var lastKeyIsPlain = true
    }

    /// `reserving` is how many bytes to make room for.
    package init(reserving capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Whether exactly one value has been written, with all that was opened closed again.
    package var isComplete: Bool { open.isEmpty && !expectsValue }

    /// The text of the one value that was written.
    package consuming func finish() -> [UInt8] {
        precondition(isComplete, "the JSON value is not complete")
        return bytes
    }
}

extension CanonicalWriter {
    package mutating func beginObject() { begin(Container(isObject: true), UInt8(ascii: "{")) }
    package mutating func beginArray() { begin(Container(isObject: false), UInt8(ascii: "[")) }
    package mutating func endObject() { end(isObject: true, UInt8(ascii: "}")) }
    package mutating func endArray() { end(isObject: false, UInt8(ascii: "]")) }

    private mutating func begin(_ container: Container, _ bracket: UInt8) {
        prepareForValue()
        bytes.append(bracket)
        open.append(container)
    }

    private mutating func end(isObject: Bool, _ bracket: UInt8) {
        guard let last = open.popLast(), last.isObject == isObject, !expectsValue else {
            preconditionFailure("nothing to close here")
        }
        bytes.append(bracket)
    }

    /// Writes a comma if one is due, and makes sure that a value may stand here.
    mutating func prepareForValue() {
        if expectsValue {
            expectsValue = false
            return
        }
        guard let last = open.indices.last, !open[last].isObject else {
            preconditionFailure("no value may stand here")
        }
        if !open[last].isEmpty { bytes.append(UInt8(ascii: ",")) }
        open[last].isEmpty = false
    }

    /// Begins a member; its key must come after the key before it.
    package mutating func key(_ key: String) {
        guard !expectsValue, let last = open.indices.last, open[last].isObject else {
            preconditionFailure("no key may stand here")
        }
        if !open[last].isEmpty { bytes.append(UInt8(ascii: ",")) }
        let start = bytes.count + 1
        let isPlain = append(quoting: key.utf8Span.span)
        let range = start..<bytes.count - 1
        if !open[last].isEmpty {
            let previous = open[last].lastKey
            let order =
                isPlain && open[last].lastKeyIsPlain
                ? KeyOrder.comparePlain(previous, range, in: bytes.span)
                : KeyOrder.compareEscaped(previous, range, in: bytes.span)
            precondition(order == .less, "keys must be written in canonical order")
        }
        open[last].isEmpty = false
        open[last].lastKey = range
        open[last].lastKeyIsPlain = isPlain
        bytes.append(UInt8(ascii: ":"))
        expectsValue = true
    }

    /// Appends a quoted string; answers whether it needed no escapes.
    mutating func append(quoting text: Span<UInt8>) -> Bool {
        bytes.append(UInt8(ascii: "\""))
        let isPlain = bytes.append(escaping: text)
        bytes.append(UInt8(ascii: "\""))
        return isPlain
    }

    mutating func append(_ span: Span<UInt8>) {
        bytes.append(copying: span)
    }

    mutating func append(_ number: NumberText) {
        for index in 0..<number.count { bytes.append(number[index]) }
    }

    mutating func append(_ byte: UInt8) {
        bytes.append(byte)
    }
}
