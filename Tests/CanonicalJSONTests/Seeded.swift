import CanonicalJSON

/// SplitMix64: the same seed gives the same documents on every machine.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func chance(_ oneIn: Int) -> Bool { Int.random(in: 0..<oneIn, using: &self) == 0 }
}

/// Draws values that lean towards what is hard: awkward keys, odd characters, extreme numbers.
struct RandomDocuments {
    var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    private static let scalars: [ClosedRange<UInt32>] = [
        0x00...0x1F, 0x20...0x7E, 0x61...0x63, 0x22...0x22, 0x5C...0x5C, 0x7F...0xFF, 0x300...0x302, 0x7FF...0x801,
        0xD7F0...0xD7FF, 0xE000...0xE005, 0xFFFD...0xFFFF, 0x10000...0x10003, 0x1F600...0x1F60F, 0x10FFFF...0x10FFFF,
    ]

    mutating func string() -> String {
        var text = String.UnicodeScalarView()
        let plain = generator.chance(2)
        for _ in 0..<Int.random(in: 0...(generator.chance(6) ? 40 : 7), using: &generator) {
            let range = plain ? 0x61...0x64 : Self.scalars.randomElement(using: &generator)!
            text.append(Unicode.Scalar(UInt32.random(in: range, using: &generator))!)
        }
        return String(text)
    }

    mutating func number() -> Double {
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return Double(Int.random(in: -100...100, using: &generator))
        case 1: return Double(Int64.random(in: -(1 << 55)...(1 << 55), using: &generator))
        case 2: return Double(Int.random(in: -99_999...99_999, using: &generator)) / 1000
        case 3:
            let digits = Int.random(in: 1...99_999_999, using: &generator)
            return Double("\(digits)e\(Int.random(in: -30...25, using: &generator))")!
        default: return anyFinite()
        }
    }

    mutating func anyFinite() -> Double {
        while true {
            let value = Double(bitPattern: generator.next())
            if value.isFinite { return value }
        }
    }

    mutating func value(depth: Int = 4) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &generator) {
        case 0: return .null
        case 1: return .bool(generator.chance(2))
        case 2, 3: return .number(number())
        case 4: return .string(string())
        case 5: return .array(elements(depth: depth))
        default: return .object(object(depth: depth))
        }
    }

    mutating func elements(depth: Int) -> [JSON] {
        (0..<Int.random(in: 0...4, using: &generator)).map { _ in value(depth: depth - 1) }
    }

    mutating func object(depth: Int) -> JSONObject {
        var object = JSONObject()
        for _ in 0..<Int.random(in: 0...5, using: &generator) { object[string()] = value(depth: depth - 1) }
        return object
    }

    /// `value` after a few random changes somewhere inside it.
    mutating func variation(of value: JSON) -> JSON {
        if generator.chance(5) { return self.value(depth: 2) }
        switch value {
        case .array(var elements):
            if generator.chance(3) {
                elements.insert(self.value(depth: 1), at: Int.random(in: 0...elements.count, using: &generator))
            } else if !elements.isEmpty, generator.chance(3) {
                elements.remove(at: elements.indices.randomElement(using: &generator)!)
            }
            return .array(elements.map { generator.chance(3) ? variation(of: $0) : $0 })
        case .object(var object):
            if generator.chance(3) { object[string()] = self.value(depth: 1) }
            for member in object.members where generator.chance(3) {
                object[member.key] = generator.chance(3) ? nil : variation(of: member.value)
            }
            return .object(object)
        default: return value
        }
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The error that parsing raises, or nil.
func parseFault(_ bytes: [UInt8], maximumDepth: Int = 64) -> JSONError? {
    do throws(JSONError) {
        _ = try JSON(parsing: bytes, maximumDepth: maximumDepth)
        return nil
    } catch {
        return error
    }
}

func canonicalFault(_ bytes: [UInt8], maximumDepth: Int = 64) -> JSONError? {
    CanonicalScanner.firstFault(in: bytes.span, maximumDepth: maximumDepth)
}

/// What canonical means: the bytes survive being read and written.
func survivesRoundTrip(_ bytes: [UInt8]) -> Bool {
    (try? JSON(parsing: bytes))?.canonicalBytes() == bytes
}
