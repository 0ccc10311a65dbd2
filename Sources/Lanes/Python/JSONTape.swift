import CanonicalJSON
import LedgerFormat

/// JSON text as a list of the places of its values: read and checked without building anything, so that what a fold does not look at
/// costs next to nothing. The grammar is that of Python's `json.loads`.
struct JSONTape: ~Copyable {
    enum Kind: UInt8 {
        case null, yes, no, integer, float, notANumber, infinity, negativeInfinity, plainText, escapedText, array, object

        var isContainer: Bool { self == .array || self == .object }
    }

    struct Token {
        var kind: Kind
        /// Where it stands; of a text what is between its quotes.
        var range: Range<Int>
        /// The index of the token behind this value and all that it holds.
        var next: Int
    }

    /// Each value in the order of the text; in an object each member's name before its value.
    private(set) var tokens: [Token] = []
    private var position = 0
    /// Whether of an array or object inside another only the place is kept; what it holds is checked like all else.
    private let isShallow: Bool
    private var isKept = true

    init(isShallow: Bool = false) { self.isShallow = isShallow }

    /// Reads what was read before, and so is known to be JSON.
    init(reread range: Range<Int>, of bytes: Span<UInt8>) {
        self.init()
        do throws(Failure) { try read(range, of: bytes) } catch { preconditionFailure("what was JSON is JSON no more") }
    }

    /// Whether the token holds values that are not on the tape.
    func isPassedOver(_ index: Int) -> Bool { isShallow && index > 0 && tokens[index].kind.isContainer }

    /// Nested containers. Python gives up at about a thousand, and takes the whole journal with it.
    static let depthMax = 990

    /// What is not JSON; where and why does not matter, since Python does not tell either.
    struct Failure: Error {}

    /// Reads the text in `range` of `bytes`, which is one value with white space around it. After a failure the tape says nothing.
    mutating func read(_ range: Range<Int>, of bytes: Span<UInt8>) throws(Failure) {
        tokens.removeAll(keepingCapacity: true)
        position = range.lowerBound
        isKept = true
        // Nothing beyond the range is seen, so the end of the line is the end.
        let line = bytes.extracting(0..<range.upperBound)
        try value(in: line, depth: 0)
        skipSpace(in: line)
        guard position == line.count else { throw Failure() }
    }
}

extension JSONTape {
    private mutating func value(in bytes: Span<UInt8>, depth: Int) throws(Failure) {
        skipSpace(in: bytes)
        switch byte(bytes) {
        case UInt8(ascii: "\""): try text(in: bytes)
        case UInt8(ascii: "{"): try container(.object, in: bytes, depth: depth)
        case UInt8(ascii: "["): try container(.array, in: bytes, depth: depth)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number(in: bytes)
        case UInt8(ascii: "n"): try word("null", .null, in: bytes)
        case UInt8(ascii: "t"): try word("true", .yes, in: bytes)
        case UInt8(ascii: "f"): try word("false", .no, in: bytes)
        case UInt8(ascii: "N"): try word("NaN", .notANumber, in: bytes)
        case UInt8(ascii: "I"): try word("Infinity", .infinity, in: bytes)
        default: throw Failure()
        }
    }

    private mutating func container(_ kind: Kind, in bytes: Span<UInt8>, depth: Int) throws(Failure) {
        let (start, passesOver) = (position, isShallow && isKept && depth > 0)
        if passesOver { isKept = false }
        if kind == .object { try object(in: bytes, depth: depth + 1) } else { try array(in: bytes, depth: depth + 1) }
        guard passesOver else { return }
        isKept = true
        append(kind, start..<position)
    }

    private mutating func object(in bytes: Span<UInt8>, depth: Int) throws(Failure) {
        let index = try open(.object, depth)
        if !ends(with: UInt8(ascii: "}"), in: bytes) {
            repeat {
                skipSpace(in: bytes)
                guard byte(bytes) == UInt8(ascii: "\"") else { throw Failure() }
                try text(in: bytes)
                skipSpace(in: bytes)
                guard byte(bytes) == UInt8(ascii: ":") else { throw Failure() }
                position += 1
                try value(in: bytes, depth: depth)
            } while try continues(before: UInt8(ascii: "}"), in: bytes)
        }
        close(index)
    }

    private mutating func array(in bytes: Span<UInt8>, depth: Int) throws(Failure) {
        let index = try open(.array, depth)
        if !ends(with: UInt8(ascii: "]"), in: bytes) {
            repeat { try value(in: bytes, depth: depth) } while try continues(before: UInt8(ascii: "]"), in: bytes)
        }
        close(index)
    }

    private mutating func open(_ kind: Kind, _ depth: Int) throws(Failure) -> Int {
        guard depth <= Self.depthMax else { throw Failure() }
        if isKept { tokens.append(Token(kind: kind, range: position..<position, next: 0)) }
        position += 1
        return tokens.count - 1
    }

    private mutating func close(_ index: Int) {
        guard isKept else { return }
        tokens[index].range = tokens[index].range.lowerBound..<position
        tokens[index].next = tokens.count
    }

    /// Whether the container that was just opened is empty.
    private mutating func ends(with closing: UInt8, in bytes: Span<UInt8>) -> Bool {
        skipSpace(in: bytes)
        guard byte(bytes) == closing else { return false }
        position += 1
        return true
    }

    /// Reads the comma before another item, or the container's end.
    private mutating func continues(before closing: UInt8, in bytes: Span<UInt8>) throws(Failure) -> Bool {
        skipSpace(in: bytes)
        let next = byte(bytes)
        guard next == closing || next == UInt8(ascii: ",") else { throw Failure() }
        position += 1
        return next != closing
    }

    private mutating func append(_ kind: Kind, _ range: Range<Int>) {
        guard isKept else { return }
        tokens.append(Token(kind: kind, range: range, next: tokens.count + 1))
    }

    /// The byte at the position; zero, which is never JSON, at the end.
    @inline(__always)
    private func byte(_ bytes: Span<UInt8>) -> UInt8 { position < bytes.count ? bytes[position] : 0 }

    /// Most often there is one space, or none.
    @inline(__always)
    private mutating func skipSpace(in bytes: Span<UInt8>) {
        if byte(bytes) == 0x20 { position += 1 }
        if byte(bytes) <= 0x20 { skipLongSpace(in: bytes) }
    }

    private mutating func skipLongSpace(in bytes: Span<UInt8>) {
        while true {
            switch byte(bytes) {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }
}

extension JSONTape {
    /// Reads the text whose opening quote is at the position.
    private mutating func text(in bytes: Span<UInt8>) throws(Failure) {
        let start = position + 1
        position = bytes.firstEscape(from: start)
        var kind = Kind.plainText
        while byte(bytes) == UInt8(ascii: "\\") {
            kind = .escapedText
            try escape(in: bytes)
            position = bytes.firstEscape(from: position)
        }
        // Else it is a control character or the end.
        guard byte(bytes) == UInt8(ascii: "\"") else { throw Failure() }
        append(kind, start..<position)
        position += 1
    }

    private mutating func escape(in bytes: Span<UInt8>) throws(Failure) {
        position += 1
        switch byte(bytes) {
        case UInt8(ascii: "u"):
            guard position + 4 < bytes.count else { throw Failure() }
            for index in position + 1...position + 4 {
                guard isHexDigit(bytes[index]) else { throw Failure() }
            }
            position += 5
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        default: throw Failure()
        }
    }

    private func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    private mutating func word(_ word: StaticString, _ kind: Kind, in bytes: Span<UInt8>) throws(Failure) {
        let start = position
        guard bytes.holds(word, at: start) else { throw Failure() }
        position += word.utf8CodeUnitCount
        append(kind, start..<position)
    }

    private mutating func number(in bytes: Span<UInt8>) throws(Failure) {
        let start = position
        if byte(bytes) == UInt8(ascii: "-") {
            position += 1
            if byte(bytes) == UInt8(ascii: "I") {
                position = start
                return try word("-Infinity", .negativeInfinity, in: bytes)
            }
        }
        if byte(bytes) == UInt8(ascii: "0") { position += 1 } else { try digits(in: bytes) }
        var kind = Kind.integer
        if byte(bytes) == UInt8(ascii: ".") {
            kind = .float
            position += 1
            try digits(in: bytes)
        }
        if byte(bytes) | 0x20 == UInt8(ascii: "e") {
            kind = .float
            position += 1
            if byte(bytes) == UInt8(ascii: "+") || byte(bytes) == UInt8(ascii: "-") { position += 1 }
            try digits(in: bytes)
        }
        append(kind, start..<position)
    }

    /// One digit or more.
    private mutating func digits(in bytes: Span<UInt8>) throws(Failure) {
        let start = position
        while case UInt8(ascii: "0")...UInt8(ascii: "9") = byte(bytes) { position += 1 }
        guard position > start else { throw Failure() }
    }
}
