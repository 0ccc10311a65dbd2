/// Patterns in the order of their heads, so that of many only those are compared that can meet another one.
///
/// A head is what stands before the first wildcard, in whole components. Two patterns mean a path in common only if one's head
/// begins the other's; and if the shorter head is all of its pattern, which then covers everything below it, they do. So plain
/// patterns are never compared at all, and what is found costs no more than looking its place up.
package struct PatternIndex: Sendable {
    /// What stands near a pattern.
    package struct Neighbour: Sendable {
        package var owner: Int
        /// How many components both begin with, where more must be compared; nil if they meet for certain.
        package var commonCount: Int?
    }

    private struct Group: Sendable {
        var head: [UInt8]
        var items: [(owner: Int, isPlain: Bool)]
        /// The group with the longest head that begins this one.
        var parent: Int?
    }

    private var groups: [Group] = []

    /// - Parameter patterns: each with the number of whom it belongs to.
    package init(_ patterns: [(owner: Int, glob: Glob)]) {
        let heads = patterns.map(\.glob.head)
        let order = patterns.indices.sorted {
            heads[$0] == heads[$1] ? $0 < $1 : heads[$0].lexicographicallyPrecedes(heads[$1])
        }
        // Groups whose heads begin each other, the shortest first, as a walk through a tree has them.
        var path: [Int] = []
        for number in order {
            let item = (owner: patterns[number].owner, isPlain: patterns[number].glob.isPlain)
            if let last = groups.indices.last, groups[last].head == heads[number] {
                groups[last].items.append(item)
                continue
            }
            while let last = path.last, !heads[number].starts(with: groups[last].head) { path.removeLast() }
            groups.append(Group(head: heads[number], items: [item], parent: path.last))
            path.append(groups.count - 1)
        }
    }

    /// Shows what meets a pattern or may, until `isEnough` says that it is.
    package func neighbours(of glob: Glob, isEnough: (Neighbour) -> Bool) {
        guard !groups.isEmpty else { return }
        let head = glob.head
        let place = firstIndex(notBefore: head)
        let isFound = place < groups.endIndex && groups[place].head == head
        // Whatever begins this head begins also what stands just before it.
        var above = isFound ? place : place > 0 ? place - 1 : nil
        while let index = above {
            above = groups[index].parent
            guard head.starts(with: groups[index].head) else { continue }
            for item in groups[index].items {
                let count = item.isPlain ? nil : Self.componentCount(groups[index].head)
                if isEnough(Neighbour(owner: item.owner, commonCount: count)) { return }
            }
        }
        let count = glob.isPlain ? nil : Self.componentCount(head)
        for group in groups[(isFound ? place + 1 : place)...] {
            guard group.head.starts(with: head) else { return }
            for item in group.items where isEnough(Neighbour(owner: item.owner, commonCount: count)) { return }
        }
    }

    private func firstIndex(notBefore head: [UInt8]) -> Int {
        var range = groups.indices
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            if groups[middle].head.lexicographicallyPrecedes(head) {
                range = middle + 1..<range.upperBound
            } else {
                range = range.lowerBound..<middle
            }
        }
        return range.lowerBound
    }

    private static func componentCount(_ head: [UInt8]) -> Int { head.count { $0 == UInt8(ascii: "/") } }
}

extension Glob {
    /// No wildcard is in it: it is one path and everything below.
    var isPlain: Bool { !text.utf8.contains { Self.isWild($0) } }

    /// Each component before the first one with a wildcard, and a slash behind it.
    var head: [UInt8] {
        let bytes = Array(text.utf8)
        guard let wild = bytes.firstIndex(where: Self.isWild) else { return bytes + [UInt8(ascii: "/")] }
        let end = bytes[..<wild].lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return Array(bytes[..<end])
    }

    private static func isWild(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") }
}
