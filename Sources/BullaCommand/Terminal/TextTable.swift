/// A table for people: each column as wide as what is in it, and texts cut where the whole has a width.
struct TextTable {
    struct Column {
        enum Kind {
            case number
            /// Cut to no less than so many cells; nil for never.
            case text(least: Int?)
        }

        var name: String
        var kind: Kind

        init(_ name: String, _ kind: Kind = .text(least: nil)) { (self.name, self.kind) = (name, kind) }
    }

    private let columns: [Column]
    private let width: Int?
    private var widths: [Int]

    /// - Parameter width: of the whole, in cells; nil if nothing is to be cut.
    init(_ columns: [Column], _ rows: [[String]], width: Int?) {
        self.columns = columns
        self.width = width
        widths = columns.indices.map { index in
            rows.reduce(Cells.width(columns[index].name)) { max($0, Cells.width(Printable.text($1[index]))) }
        }
        guard let width else { return }
        // The widest gives way first: a short one is read at a glance.
        var excess = widths.reduce(2 * (widths.count - 1), +) - width
        while excess > 0, let index = widest {
            widths[index] -= 1
            excess -= 1
        }
    }

    private var widest: Int? {
        columns.indices.filter { index in
            if case .text(let least?) = columns[index].kind { widths[index] > least } else { false }
        }.max { widths[$0] < widths[$1] }
    }

    var heading: String { line(columns.map(\.name)) }

    func line(_ cells: [String]) -> String {
        var parts: [String] = []
        for (index, cell) in cells.enumerated() { parts.append(part(cell, index)) }
        var text = parts.joined(separator: "  ")
        if let width { text = Cells.cut(text, to: width) }
        while text.last == " " { text.removeLast() }
        return text
    }

    private func part(_ cell: String, _ index: Int) -> String {
        let text = Cells.cut(cell, to: width == nil ? .max : widths[index])
        let space = String(repeating: " ", count: max(0, widths[index] - Cells.width(text)))
        if case .number = columns[index].kind { return space + text }
        return text + space
    }
}
