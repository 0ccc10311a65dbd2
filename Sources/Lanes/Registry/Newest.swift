/// The newest value for each name; of more names than there is room for, the older half is forgotten.
///
/// So state does not grow with history. What is kept follows from what was put in and in which order, as a fold needs it.
struct Newest<Value: Sendable & Equatable>: Sendable, Equatable {
    private(set) var values: [Label: Item] = [:]
    let countMax: Int

    struct Item: Sendable, Equatable {
        /// Rises with each that is put in.
        var order: UInt64
        var value: Value
    }

    init(countMax: Int) { self.countMax = countMax }

    subscript(name: Label) -> Value? { values[name]?.value }

    mutating func put(_ value: Value, for name: Label, order: UInt64) {
        values[name] = Item(order: order, value: value)
        guard values.count > countMax else { return }
        let kept = values.sorted { $0.value.order > $1.value.order }.prefix(countMax / 2)
        values = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }

    mutating func remove(_ name: Label) { values[name] = nil }

    /// The oldest first.
    var items: [Item] { values.values.sorted { $0.order < $1.order } }
}
