import CanonicalJSON

/// An integer of any size, by its decimal digits.
package struct PythonInteger: Hashable, Sendable {
    package let isNegative: Bool
    /// ASCII digits without leading zeros; zero is one digit, and not negative.
    package let digits: [UInt8]

    package static let zero = PythonInteger(isNegative: false, digits: [])

    /// Leading zeros are dropped.
    package init(isNegative: Bool, digits: some Sequence<UInt8>) {
        let digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
        self.digits = digits.isEmpty ? [UInt8(ascii: "0")] : digits
        self.isNegative = isNegative && !digits.isEmpty
    }

    package init(_ value: some BinaryInteger) {
        self.init(isNegative: value < 0, digits: String(value.magnitude).utf8)
    }

    package var isZero: Bool { digits == [UInt8(ascii: "0")] }

    /// As `str` and JSON have it.
    package var text: [UInt8] { isNegative ? [UInt8(ascii: "-")] + digits : digits }

    package var successor: PythonInteger {
        // Below zero nothing counts here: there is no seq to go on from.
        guard !isNegative else { return PythonInteger(1) }
        var digits = digits
        for index in digits.indices.reversed() {
            if digits[index] < UInt8(ascii: "9") {
                digits[index] += 1
                return PythonInteger(isNegative: false, digits: digits)
            }
            digits[index] = UInt8(ascii: "0")
        }
        return PythonInteger(isNegative: false, digits: [UInt8(ascii: "1")] + digits)
    }
}

extension PythonInteger: Comparable {
    package static func < (left: PythonInteger, right: PythonInteger) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        let (small, large) = left.isNegative ? (right, left) : (left, right)
        if small.digits.count != large.digits.count { return small.digits.count < large.digits.count }
        return small.digits.lexicographicallyPrecedes(large.digits)
    }
}

extension PythonInteger {
    /// `int(value)` of what JSON can hold; nil where that fails, for infinities too.
    package init?(of value: PythonJSON) {
        switch value {
        case .bool(let flag): self.init(flag ? 1 : 0)
        case .integer(let integer): self = integer
        case .float(let number):
            guard number.isFinite else { return nil }
            self.init(truncating: number)
        case .text(let text): self.init(parsing: text)
        case .null, .array, .object: return nil
        }
    }

    private init(truncating number: Double) {
        if number.magnitude < 0x1p53 {
            self.init(Int64(number))
        } else {
            let digits = IntegerExpansion(of: number.magnitude).digits
            self.init(isNegative: number < 0, digits: digits.lazy.map { $0 + UInt8(ascii: "0") })
        }
    }

    /// More digits than this Python does not read.
    private static let digitCountMax = 4300

    /// `int(text)`: white space around it, a sign, decimal digits of any script, single underscores between digits.
    private init?(parsing text: PythonText) {
        var points = text.codePoints[...]
        points = points.drop(while: Self.isSpace)
        while let last = points.last, Self.isSpace(last) { points.removeLast() }
        let sign = points.first
        let isSigned = sign == 0x2B || sign == 0x2D
        if isSigned { points.removeFirst() }
        var digits: [UInt8] = []
        var isDigitBefore = false
        for point in points {
            if let digit = Self.digit(point) {
                digits.append(UInt8(ascii: "0") + digit)
                isDigitBefore = true
            } else {
                guard point == 0x5F, isDigitBefore else { return nil }
                isDigitBefore = false
            }
        }
        guard isDigitBefore, digits.count <= Self.digitCountMax else { return nil }
        self.init(isNegative: sign == 0x2D, digits: digits)
    }

    /// As `int` has it: of ASCII only what C calls space.
    private static func isSpace(_ point: UInt32) -> Bool {
        switch point {
        case 0x09...0x0D, 0x20: true
        default: point >= 0x80 && PythonSpace.isSpaceBeyondASCII(point)
        }
    }

    /// The value of a decimal digit of any script.
    private static func digit(_ point: UInt32) -> UInt8? {
        if point < 0x80 { return (0x30...0x39).contains(point) ? UInt8(point - 0x30) : nil }
        guard let scalar = Unicode.Scalar(point), scalar.properties.generalCategory == .decimalNumber,
            let value = scalar.properties.numericValue
        else { return nil }
        return UInt8(value)
    }
}
