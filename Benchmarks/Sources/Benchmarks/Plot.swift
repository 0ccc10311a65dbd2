import Foundation

/// A panel of curves on two logarithmic axes.
struct Panel {
    let title: String
    let xLabel: String
    /// How a size is written at the x axis; seconds are at the y axis.
    let xFormat: (Double) -> String
    let curves: [Curve]
    /// A dashed line of slope 1, for what should be linear.
    var showsLinear = false
}

/// Writes panels, two in a row, as one SVG that reads well on light and on dark ground.
struct Plot {
    private static let cell = (width: 480.0, height: 330.0)
    private static let plotArea = (left: 82.0, top: 44.0, width: 360.0, height: 226.0)

    private static let style = """
        .ground { fill: #ffffff } text { fill: #1f2328; font: 12px sans-serif } .title { font-size: 15px; font-weight: bold }
        .grid { stroke: #d1d9e0; fill: none } .linear { stroke: #818b98; stroke-dasharray: 4 4; fill: none }
        .c0 { stroke: #0969da } .c1 { stroke: #bc4c00 } .curve { fill: none; stroke-width: 2 } .c0.dot { fill: #0969da }
        .c1.dot { fill: #ffffff; stroke-width: 2 }
        @media (prefers-color-scheme: dark) {
        .ground { fill: #0d1117 } text { fill: #f0f6fc } .grid { stroke: #3d444d } .linear { stroke: #9198a1 }
        .c0 { stroke: #4493f8 } .c1 { stroke: #f0883e } .c0.dot { fill: #4493f8 } .c1.dot { fill: #0d1117 }
        }
        """

    static func svg(_ panels: [Panel]) -> String {
        let (width, height) = (Int(cell.width) * 2, Int(cell.height) * ((panels.count + 1) / 2))
        var lines = [
            #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(width) \#(height)" width="\#(width)" height="\#(height)">"#,
            "<title>Cost against size: " + panels.map(\.title).joined(separator: ", ") + "</title>",
            "<style>\n\(style)\n</style>",
            #"<rect class="ground" width="100%" height="100%"/>"#,
        ]
        for (index, panel) in panels.enumerated() {
            let (x, y) = (Int(cell.width) * (index % 2), Int(cell.height) * (index / 2))
            lines.append(#"<g transform="translate(\#(x) \#(y))">"#)
            lines += draw(panel)
            lines.append("</g>")
        }
        return lines.joined(separator: "\n") + "\n</svg>\n"
    }

    private static func draw(_ panel: Panel) -> [String] {
        let points = panel.curves.flatMap(\.points)
        guard !points.isEmpty else { return [] }
        let x = Axis(covering: points.map(\.size), from: plotArea.left, length: plotArea.width)
        let y = Axis(covering: points.map(\.seconds), from: plotArea.top + plotArea.height, length: -plotArea.height)
        let (bottom, right) = (plotArea.top + plotArea.height, plotArea.left + plotArea.width)
        var lines = [text(panel.title, plotArea.left, 24, "start", "title")]
        for tick in x.ticks {
            lines.append(line((x.at(tick), plotArea.top), (x.at(tick), bottom), "grid"))
            lines.append(text(panel.xFormat(tick), x.at(tick), bottom + 18, "middle"))
        }
        for tick in y.ticks {
            lines.append(line((plotArea.left, y.at(tick)), (right, y.at(tick)), "grid"))
            lines.append(text(timeLabel(tick), plotArea.left - 8, y.at(tick) + 4, "end"))
        }
        lines.append(text(panel.xLabel, plotArea.left + plotArea.width / 2, bottom + 40, "middle"))
        lines.append(
            #"<text transform="translate(16 \#(format(plotArea.top + plotArea.height / 2))) rotate(-90)" "#
                + #"text-anchor="middle">time</text>"#)
        if panel.showsLinear, let last = panel.curves[0].points.last {
            // Down from the last point until it leaves the panel on the left or at the bottom.
            let factor = min(last.size / x.low, last.seconds / y.low)
            let start = (x.at(last.size / factor), y.at(last.seconds / factor))
            lines.append(line(start, (x.at(last.size), y.at(last.seconds)), "linear"))
        }
        for (index, curve) in panel.curves.enumerated() {
            let places = curve.points.map { (x.at($0.size), y.at($0.seconds)) }
            let path = places.map { "\(format($0.0)),\(format($0.1))" }.joined(separator: " ")
            lines.append(#"<polyline class="curve c\#(index)" points="\#(path)"/>"#)
            for (placeX, placeY) in places { lines.append(dot(placeX, placeY, index)) }
        }
        return lines + legend(panel)
    }

    /// Above the panel, at the right: it never hides a curve.
    private static func legend(_ panel: Panel) -> [String] {
        var names = panel.curves.enumerated().map { (name: $1.name, index: Optional($0)) }
        if panel.showsLinear { names.append(("linear", nil)) }
        var right = plotArea.left + plotArea.width
        var lines: [String] = []
        for (name, index) in names.reversed() {
            lines.append(text(name, right, 24, "end"))
            right -= Double(name.count) * 5.9 + 14
            if let index {
                lines.append(dot(right, 20, index))
            } else {
                lines.append(line((right - 14, 20), (right + 6, 20), "linear"))
                right -= 8
            }
            right -= 16
        }
        return lines
    }

    private static func dot(_ x: Double, _ y: Double, _ index: Int) -> String {
        #"<circle class="dot c\#(index)" cx="\#(format(x))" cy="\#(format(y))" r="3.5"/>"#
    }

    private static func line(_ start: (Double, Double), _ end: (Double, Double), _ kind: String) -> String {
        #"<line class="\#(kind)" x1="\#(format(start.0))" y1="\#(format(start.1))" x2="\#(format(end.0))" y2="\#(format(end.1))"/>"#
    }

    private static func text(_ text: String, _ x: Double, _ y: Double, _ anchor: String, _ kind: String = "label") -> String {
        #"<text class="\#(kind)" x="\#(format(x))" y="\#(format(y))" text-anchor="\#(anchor)">\#(text)</text>"#
    }

    private static func format(_ coordinate: Double) -> String { String(format: "%.1f", coordinate) }

    /// A power of ten seconds.
    private static func timeLabel(_ seconds: Double) -> String {
        let microseconds = Int((seconds * 1e6).rounded())
        return switch microseconds {
        case ..<1000: "\(microseconds) µs"
        case ..<1_000_000: "\(microseconds / 1000) ms"
        default: "\(microseconds / 1_000_000) s"
        }
    }
}

/// A logarithmic axis over whole decades.
private struct Axis {
    let ticks: [Double]
    private let origin: Double
    private let length: Double

    var low: Double { ticks[0] }

    init(covering values: [Double], from origin: Double, length: Double) {
        // A little off a decade is still on it: 1,000,001 entries do not open another.
        let first = Int(log10((values.min() ?? 1) * 1.02).rounded(.down))
        let last = max(Int(log10((values.max() ?? 1) / 1.02).rounded(.up)), first + 1)
        ticks = (first...last).map { pow(10, Double($0)) }
        (self.origin, self.length) = (origin, length)
    }

    func at(_ value: Double) -> Double { origin + length * log10(value / low) / log10(ticks[ticks.count - 1] / low) }
}
