package import CanonicalJSON

/// Places, found by others that lie in them, around them, or are the same: thousands of entries are compared with one draft.
package struct PlaceTree: Sendable {
    private struct Node {
        /// By the bytes of the step: Swift takes é and e + ´ for the same.
        var children: [[UInt8]: Int] = [:]
        var places: [Int] = []
    }

    private var nodes = [Node()]

    package init() {}

    /// Answers by their indices.
    init(_ places: [JSONPointer]) {
        for (index, place) in places.enumerated() { insert(place, as: index) }
    }

    /// - Parameter index: by which it is answered.
    package mutating func insert(_ place: JSONPointer, as index: Int) {
        var node = 0
        for token in place.tokens {
            let step = Array(token.utf8)
            if let child = nodes[node].children[step] {
                node = child
            } else {
                nodes.append(Node())
                nodes[node].children[step] = nodes.count - 1
                node = nodes.count - 1
            }
        }
        nodes[node].places.append(index)
    }

    /// The places that meet another, in the order of their indices.
    package func meeting(_ other: JSONPointer) -> [Int] {
        var found: [Int] = []
        var node = 0
        for token in other.tokens {
            found += nodes[node].places
            guard let child = nodes[node].children[Array(token.utf8)] else { return found.sorted() }
            node = child
        }
        var open = [node]
        while let next = open.popLast() {
            found += nodes[next].places
            open += nodes[next].children.values
        }
        return found.sorted()
    }
}
