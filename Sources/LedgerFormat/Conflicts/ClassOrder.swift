/// Which class of actors prevails where two say different things of one place.
package struct ClassOrder: Sendable, Equatable {
    /// A class's place in the order: the greater prevails.
    package struct Rank: Sendable, Hashable, Comparable {
        private let value: Int

        fileprivate init(_ value: Int) { self.value = value }

        /// Of whoever has no key of his own: anyone may use his name.
        package static let unauthenticated = Rank(0)

        package static func < (a: Rank, b: Rank) -> Bool { a.value < b.value }
    }

    /// Highest first.
    private let high: [String]
    /// Below all classes that are not named, highest first.
    private let low: [String]

    package init(_ high: [String], othersThen low: [String]) {
        self.high = high
        self.low = low
    }

    /// What holds until a constitution says otherwise.
    package static let standard = ClassOrder(
        ["security-sentinel", "supervisor", "operator", "specialist", "worker"], othersThen: ["skill-utility"])

    package func rank(ofClass actorClass: String) -> Rank {
        // Both spellings name one class: nobody shall lose by a dash.
        let name = String(actorClass.map { $0 == "_" ? "-" : $0 })
        if let place = high.firstIndex(of: name) { return Rank(low.count + 1 + high.count - place) }
        if let place = low.firstIndex(of: name) { return Rank(low.count - place) }
        return Rank(low.count + 1)
    }
}
