/// A tree that is compared with many others.
struct IndexedTree {
    private let globs: [Glob]
    private let index: PatternIndex

    init(_ tree: Tree) {
        globs = tree.effective
        index = PatternIndex(globs.enumerated().map { (owner: $0.offset, glob: $0.element) })
    }

    /// A pattern of each, which mean a path in common.
    struct Meeting {
        var own: Glob
        var other: Glob
        /// False where the effort was spent before it was known.
        var isExact = true
    }

    /// As far as `effort` reaches, of which plain patterns take none.
    func meeting(_ other: Tree, _ effort: inout Effort) -> Meeting? {
        let others = other.effective
        var open: [(own: Int, other: Int, commonCount: Int)] = []
        for (number, glob) in others.enumerated() {
            var certain: Int?
            index.neighbours(of: glob) { neighbour in
                if let count = neighbour.commonCount {
                    open.append((neighbour.owner, number, count))
                } else {
                    certain = neighbour.owner
                }
                return certain != nil
            }
            if let certain { return Meeting(own: globs[certain], other: glob) }
        }
        for pair in open where globs[pair.own].meets(others[pair.other], from: pair.commonCount, &effort) {
            return Meeting(own: globs[pair.own], other: others[pair.other], isExact: !effort.isSpent)
        }
        return nil
    }
}
