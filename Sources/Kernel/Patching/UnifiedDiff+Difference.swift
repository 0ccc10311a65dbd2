extension UnifiedDiff {
    /// The difference of two texts: the fewest lines that change, unless it takes too many steps to find them.
    package init(from old: [UInt8], to new: [UInt8]) {
        let (old, new) = (Self.lines(of: old), Self.lines(of: new))
        var prefix = 0
        while prefix < min(old.count, new.count), old[prefix] == new[prefix] { prefix += 1 }
        var suffix = 0
        while suffix < min(old.count, new.count) - prefix, old[old.count - 1 - suffix] == new[new.count - 1 - suffix] {
            suffix += 1
        }
        let script = EditScript(Array(old[prefix..<old.count - suffix]), Array(new[prefix..<new.count - suffix]))
        var lines = old[..<prefix].map { Line(.context, $0) }
        lines += script.lines
        lines += old[(old.count - suffix)...].map { Line(.context, $0) }
        hunks = Self.hunks(of: lines)
    }

    /// Lines that stay around those that change.
    private static let contextCount = 3

    /// Cuts the lines of both texts into hunks: changes with what lies around them.
    private static func hunks(of lines: [Line]) -> [Hunk] {
        var hunks: [Hunk] = []
        var (old, new) = (0, 0)
        var index = 0
        while let change = lines[index...].firstIndex(where: { $0.kind != .context }) {
            let start = max(index, change - contextCount)
            (old, new) = (old + start - index, new + start - index)
            let end = end(of: lines, from: change)
            var hunk = Hunk(oldStart: old, newStart: new)
            hunk.lines = Array(lines[start..<end])
            (old, new) = (old + hunk.oldCount, new + hunk.newCount)
            hunks.append(hunk)
            index = end
        }
        return hunks
    }

    /// Behind the last change that is near, and what stays behind it.
    private static func end(of lines: [Line], from change: Int) -> Int {
        var last = change
        var index = change + 1
        while index < lines.count, index - last <= 2 * contextCount {
            if lines[index].kind != .context { last = index }
            index += 1
        }
        return min(lines.count, last + 1 + contextCount)
    }
}

/// The way from one list of lines to another (E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986).
private struct EditScript {
    private(set) var lines: [UnifiedDiff.Line] = []

    /// Above so many changes all of one text goes and all of the other comes: time and memory grow with the square.
    private static let changeCountMax = 1000

    init(_ old: [ArraySlice<UInt8>], _ new: [ArraySlice<UInt8>]) {
        guard let trace = Self.trace(old, new) else {
            lines = old.map { .init(.removed, $0) } + new.map { .init(.added, $0) }
            return
        }
        var (x, y) = (old.count, new.count)
        var reversed: [UnifiedDiff.Line] = []
        for (changes, reach) in trace.enumerated().reversed() {
            let step = Step(to: x - y, changes, reach)
            while x > step.x {
                (x, y) = (x - 1, y - 1)
                reversed.append(.init(.context, old[x]))
            }
            guard changes > 0 else { break }
            if step.isDown {
                y -= 1
                reversed.append(.init(.added, new[y]))
            } else {
                x -= 1
                reversed.append(.init(.removed, old[x]))
            }
        }
        lines = reversed.reversed()
    }

    /// How far one gets on each diagonal, before each change; nil if it takes too many.
    private static func trace(_ old: [ArraySlice<UInt8>], _ new: [ArraySlice<UInt8>]) -> [Reach]? {
        var trace = [Reach(0)]
        for changes in 0...min(changeCountMax, old.count + new.count) {
            var next = Reach(changes + 1)
            for k in stride(from: -changes, through: changes, by: 2) {
                var x = Step(to: k, changes, trace[changes]).x
                var y = x - k
                while x < old.count, y < new.count, old[x] == new[y] { (x, y) = (x + 1, y + 1) }
                next[k] = x
                if x >= old.count, y >= new.count { return trace }
            }
            trace.append(next)
        }
        return nil
    }

    /// The last change before a diagonal, and where it leads to.
    private struct Step {
        let isDown: Bool
        let x: Int

        init(to k: Int, _ changes: Int, _ reach: Reach) {
            isDown = k == -changes || k != changes && reach[k - 1] < reach[k + 1]
            x = changes == 0 ? 0 : isDown ? reach[k + 1] : reach[k - 1] + 1
        }
    }

    /// Of the diagonals from −n to n: how many lines of the old text are behind one there.
    private struct Reach {
        private let n: Int
        private var furthest: [Int]

        init(_ n: Int) { (self.n, furthest) = (n, Array(repeating: 0, count: 2 * n + 1)) }

        subscript(_ k: Int) -> Int {
            get { furthest[k + n] }
            set { furthest[k + n] = newValue }
        }
    }
}
