/// How a table of lanes shares its width.
struct LaneColumns {
    private let widths: [Int]
    private let width: Int?

    private static let names = ["LANE", "STATE", "TOKEN", "HELD", "BEAT", "LEFT", "HOLDER", "TREE"]

    /// - Parameter width: of the whole, in cells; nil if nothing is to be cut.
    init(_ rows: [LaneTable.Row], width: Int?) {
        let all = [Self.names] + rows.map(Self.cells)
        var widths = Self.names.indices.map { column in all.map { Cells.width($0[column]) }.max() ?? 0 }
        // The last two take what is left; a name gives way before a number does.
        if let width {
            let fixed = widths[1...5].reduce(0, +) + 2 * (widths.count - 1)
            let room = max(0, width - fixed)
            widths[0] = min(widths[0], max(6, room / 4))
            widths[6] = min(widths[6], max(6, (room - widths[0]) / 2))
        }
        self.widths = widths
        self.width = width
    }

    var heading: String { line(Self.names) }

    func text(_ row: LaneTable.Row) -> String { line(Self.cells(row)) }

    private static func cells(_ row: LaneTable.Row) -> [String] {
        // As they are drawn: what a terminal must not see is written out, and takes more room.
        [row.lane, row.state, row.token, row.age, row.beat, row.rest, row.holder, row.tree].map(Cells.drawable)
    }

    private func line(_ cells: [String]) -> String {
        var text =
            zip(cells, widths).dropLast().map { Cells.fit($0, to: $1) }.joined(separator: "  ") + "  "
            + Cells.cut(cells.last ?? "", to: .max)
        if let width { text = Cells.cut(text, to: width) }
        while text.last == " " { text.removeLast() }
        return text
    }
}
