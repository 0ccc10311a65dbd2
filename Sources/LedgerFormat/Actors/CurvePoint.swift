import PlantedDefects

/// Points of edwards25519 as keys are written (RFC 8032 §5.1.2): y in 255 bits, little-endian, and x's lowest bit.
enum CurvePoint {
    /// What is wrong with 32 bytes that should be a key; nil if nothing is.
    ///
    /// Only the one spelling of a point is taken (y below p, RFC 8032 §5.1.3), so that no key has two names; and no point of small order,
    /// under which one signature is right for many texts (Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs", 2020, §3 and §4), nor of
    /// mixed order: who can sign for a point can sign for its sums with the points of small order too, and would count as eight.
    static func fault(_ bytes: [UInt8]) -> ActorKeyFault? {
        guard bytes.count == 32 else { return .form }
        var spelling = bytes
        spelling[31] &= 0x7F
        let y = FieldElement(littleEndian: spelling)
        guard y.isReduced || planted(.keySpellingUnchecked) else { return .notCanonical }
        // The eight points of small order have one of these five y.
        if FieldElement.smallOrder.contains(y.reduced), !planted(.smallOrderKeyAccepted) { return .smallOrder }
        guard isOnCurve(y) else { return .notOnCurve }
        return isOfPrimeOrder(y) || planted(.mixedOrderKeyAccepted) ? nil : .mixedOrder
    }

    /// x² = (y² − 1) / (d y² + 1) is a square if and only if the product of both is, for d y² is never −1.
    private static func isOnCurve(_ y: FieldElement) -> Bool {
        let square = y * y
        let product = (square + .minusOne) * (.d * square + .one)
        // Euler's criterion.
        let power = product.power(FieldElement.halfOfMinusOne).reduced
        return power == .one || power == .zero
    }

    /// Whether the prime order of the group's large part, as a multiple of a point that is not of small order, gives the identity.
    ///
    /// A point and its negative have the same order, so y is enough: with u = (1 + y) / (1 − y) it is the ladder of RFC 7748 §5 on
    /// curve25519, whose u is kept as a fraction; that of the identity has 0 below.
    private static func isOfPrimeOrder(_ y: FieldElement) -> Bool {
        let (above, below) = (FieldElement.one + y, FieldElement.one - y)
        // n and n + 1 times the point, n being the order's bits so far.
        var (low, high) = ((x: FieldElement.one, z: FieldElement.zero), (x: above, z: below))
        for word in FieldElement.primeOrder.reversed() {
            for bit in (0..<64).reversed() {
                let isSet = word >> UInt64(bit) & 1 == 1
                if isSet { swap(&low, &high) }
                let (sum, difference) = (low.x + low.z, low.x - low.z)
                let (square, other) = (sum * sum, difference * difference)
                let (first, second) = ((high.x - high.z) * sum, (high.x + high.z) * difference)
                let (plus, minus) = (first + second, first - second)
                let change = square - other
                high = (plus * plus * below, minus * minus * above)
                low = (square * other, change * (square + .a24 * change))
                if isSet { swap(&low, &high) }
            }
        }
        return low.z.reduced == .zero
    }
}

/// A number modulo p = 2^255 − 19, as four words from the lowest; what is not reduced may be p and more.
///
/// For public keys only: it takes a time that depends on the number.
struct FieldElement: Equatable {
    private typealias Words = InlineArray<4, UInt64>
    private var words: Words

    private init(_ words: Words) { self.words = words }

    init(littleEndian bytes: [UInt8]) {
        words = [0, 0, 0, 0]
        for index in 0..<32 { words[index / 8] |= UInt64(bytes[index]) << UInt64(8 * (index % 8)) }
    }

    static let zero = FieldElement([0, 0, 0, 0])
    static let one = FieldElement([1, 0, 0, 0])
    private static let p = FieldElement([.max - 18, .max, .max, .max >> 1])
    static let minusOne = FieldElement([.max - 19, .max, .max, .max >> 1])
    /// −121665/121666 (RFC 8032 §5.1).
    static let d = FieldElement([0x75EB_4DCA_1359_78A3, 0x0070_0A4D_4141_D8AB, 0x8CC7_4079_7779_E898, 0x5203_6CEE_2B6F_FE73])
    /// (486662 − 2) / 4 (RFC 7748 §5).
    static let a24 = FieldElement([121_665, 0, 0, 0])
    /// 2^252 + 27742317777372353535851937790883648493 (RFC 8032 §5.1), by which a point is multiplied.
    static let primeOrder: [UInt64] = [0x5812_631A_5CF5_D3ED, 0x14DE_F9DE_A2F7_9CD6, 0, 1 << 60]
    /// (p − 1) / 2 as an exponent.
    static let halfOfMinusOne: [UInt64] = [.max - 9, .max, .max, .max >> 2]

    /// The y of all points whose order divides 8: 1, −1, 0, and the two of order 8.
    static let smallOrder: [FieldElement] = [
        .one, .minusOne, .zero,
        FieldElement([0xB027_B2C2_8F95_E826, 0xF098_EFF2_89F4_C345, 0x3933_C6D3_05AC_DFD5, 0x05FC_536D_8802_38B1]),
        FieldElement([0x4FD8_4D3D_706A_17C7, 0x0F67_100D_760B_3CBA, 0xC6CC_392C_FA53_202A, 0x7A03_AC92_77FD_C74E]),
    ]

    static func == (a: FieldElement, b: FieldElement) -> Bool { (0..<4).allSatisfy { a.words[$0] == b.words[$0] } }

    /// Whether it is below p.
    var isReduced: Bool {
        for index in (0..<4).reversed() where words[index] != Self.p.words[index] {
            return words[index] < Self.p.words[index]
        }
        return false
    }

    var reduced: FieldElement {
        var result = self
        while !result.isReduced { _ = result.borrow(Self.p) }
        return result
    }

    /// Subtracts a number; gives whether it was the greater one, so that 2^256 was borrowed.
    private mutating func borrow(_ other: FieldElement) -> Bool {
        var borrow: UInt64 = 0
        for index in 0..<4 {
            let (difference, first) = words[index].subtractingReportingOverflow(other.words[index])
            let (rest, second) = difference.subtractingReportingOverflow(borrow)
            words[index] = rest
            borrow = first || second ? 1 : 0
        }
        return borrow > 0
    }

    static func + (a: FieldElement, b: FieldElement) -> FieldElement {
        var sum = a.words
        var carry: UInt64 = 0
        for index in 0..<4 {
            let (partial, first) = sum[index].addingReportingOverflow(b.words[index])
            let (whole, second) = partial.addingReportingOverflow(carry)
            sum[index] = whole
            carry = first || second ? 1 : 0
        }
        return FieldElement(folding: carry, into: sum)
    }

    static func - (a: FieldElement, b: FieldElement) -> FieldElement {
        var difference = a
        // 2^256 is 38 modulo p.
        var owes = difference.borrow(b)
        while owes { owes = difference.borrow(Self.fold) }
        return difference
    }

    private static let fold = FieldElement([38, 0, 0, 0])

    static func * (a: FieldElement, b: FieldElement) -> FieldElement {
        var product = InlineArray<8, UInt64>(repeating: 0)
        for i in 0..<4 {
            var carry: UInt64 = 0
            for j in 0..<4 { carry = add(a.words[i], times: b.words[j], carry, to: &product[i + j]) }
            product[i + 4] = carry
        }
        // 2^256 is 38 modulo p.
        var low: Words = [product[0], product[1], product[2], product[3]]
        var carry: UInt64 = 0
        for index in 0..<4 { carry = add(product[index + 4], times: 38, carry, to: &low[index]) }
        return FieldElement(folding: carry, into: low)
    }

    /// Adds a product and a carry to a word; gives what is carried on. The sum has 128 bits at most.
    private static func add(_ a: UInt64, times b: UInt64, _ carry: UInt64, to word: inout UInt64) -> UInt64 {
        let sum = UInt128(a) &* UInt128(b) &+ UInt128(word) &+ UInt128(carry)
        word = UInt64(truncatingIfNeeded: sum)
        return UInt64(truncatingIfNeeded: sum >> 64)
    }

    /// Adds 38 for each 2^256 that was carried out.
    private init(folding carry: UInt64, into words: Words) {
        self.words = words
        var rest = carry
        while rest > 0 {
            var next = rest * 38
            for index in 0..<4 where next > 0 {
                let (sum, overflow) = self.words[index].addingReportingOverflow(next)
                self.words[index] = sum
                next = overflow ? 1 : 0
            }
            rest = next
        }
    }

    func power(_ exponent: [UInt64]) -> FieldElement {
        var result = Self.one
        for word in exponent.reversed() {
            for bit in (0..<64).reversed() {
                result = result * result
                if word >> UInt64(bit) & 1 == 1 { result = result * self }
            }
        }
        return result
    }
}
