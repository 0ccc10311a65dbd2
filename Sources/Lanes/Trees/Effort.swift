/// How much may still be compared in one decision: so that no patterns, however intricate, hold the writer's lock for long.
///
/// Counted in steps and not in time, so that the same leases give the same answer everywhere. When it is spent, patterns count as
/// meeting: that excludes too much, and never too little.
package struct Effort: Sendable {
    private var steps: Int

    /// A quarter of a second to half of one. Trees of 64 patterns that begin with a wildcard take four fifths of it beside 1,000
    /// leases of such; plain patterns take none.
    package static let decision = 40_000_000

    package init(steps: Int = Self.decision) { self.steps = steps }

    package var isSpent: Bool { steps <= 0 }

    mutating func spend(_ count: Int) { steps -= count }
}
