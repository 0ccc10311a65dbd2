/// Which class of actors prevails where two say different things of one place.
package struct ClassOrder: Sendable, Equatable {
    /// A class's place in the order: the greater prevails.
    package struct Rank: Sendable, Hashable, Comparable {
        private let value: Int

        fileprivate init(_ value: Int) { self.value = value }

        /// Of whoever has no key of his own: anyone may use his name.
        package static let unauthenticated = Rank(0)

        /// Above all classes.
        static let highest = Rank(.max)

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

    /// As articles list them; those that are not named, and have no place there, are below all others.
    package init(_ articles: Articles) {
        let names = articles.classes.map(Articles.className)
        let place = names.firstIndex(of: Articles.anyClass) ?? names.count
        self.init(Array(names[..<place]), othersThen: Array(names.dropFirst(place + 1)))
    }

    /// What holds until a constitution says otherwise.
    package static let standard = ClassOrder(.standard)

    package func rank(ofClass actorClass: String) -> Rank {
        let name = Articles.className(actorClass)
        if let place = high.firstIndex(of: name) { return Rank(low.count + 1 + high.count - place) }
        if let place = low.firstIndex(of: name) { return Rank(low.count - place) }
        return Rank(low.count + 1)
    }
}
