/// The numbers below a count, in an order that has soon been everywhere: what a stage that is cut short has tried lies all over.
struct Scattered: Sendable {
    let count: Int
    private let stride: Int

    init(_ count: Int) {
        self.count = count
        // The golden section's larger part, or the next that meets every number.
        var stride = max(1, Int(Double(count) * 0.618))
        while Self.commonDivisor(stride, count) > 1 { stride += 1 }
        self.stride = stride
    }

    subscript(index: Int) -> Int {
        precondition(index < count)
        return index * stride % count
    }

    private static func commonDivisor(_ one: Int, _ other: Int) -> Int {
        other == 0 ? one : commonDivisor(other, one % other)
    }
}
