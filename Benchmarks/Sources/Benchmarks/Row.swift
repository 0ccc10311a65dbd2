/// What a figure has to reach.
struct Bar {
    enum Direction {
        case atLeast, atMost
    }

    let direction: Direction
    let limit: Double
    /// How a figure of this kind is written.
    let format: (Double) -> String

    static func atLeast(_ limit: Double, format: @escaping (Double) -> String = Format.two) -> Bar {
        Bar(direction: .atLeast, limit: limit, format: format)
    }

    static func atMost(_ limit: Double, format: @escaping (Double) -> String = Format.two) -> Bar {
        Bar(direction: .atMost, limit: limit, format: format)
    }

    func isMet(by value: Double) -> Bool { direction == .atLeast ? value >= limit : value <= limit }

    /// How far a figure is from the bar, as a part of the bar.
    func distance(of value: Double) -> Double { abs(value - limit) / limit }

    var description: String { (direction == .atLeast ? "≥ " : "≤ ") + format(limit) }
}

/// A line of the table.
struct Row {
    var work: String
    var ours: String
    var yardstick: String
    /// The figure that the bar is for, as it is shown.
    var ratio: String
    /// Nil: for information.
    var goal: (value: Double, bar: Bar)?

    init(_ work: String, ours: String, yardstick: String, ratio: String, value: Double, _ bar: Bar?) {
        (self.work, self.ours, self.yardstick, self.ratio) = (work, ours, yardstick, ratio)
        goal = bar.map { (value, $0) }
    }

    init(_ work: String, ours: String, yardstick: String, _ ratio: Ratio, _ bar: Bar?) {
        self.init(work, ours: ours, yardstick: yardstick, ratio: Format.ratio(ratio), value: ratio.value, bar)
    }

    /// Nil when the bar is reached, or there is none.
    var shortfall: String? {
        guard let (value, bar) = goal, !bar.isMet(by: value) else { return nil }
        let distance = Format.significant(bar.distance(of: value) * 100)
        let side = bar.direction == .atLeast ? "below" : "above"
        let peer = yardstick == "–" ? "" : " (\(yardstick))"
        return "**\(work)**: \(bar.format(value)) where \(bar.description) is wanted, \(distance) % \(side) the bar\(peer)"
    }
}
