import CanonicalJSON
import Kernel
import LedgerFormat

/// Prints traumas as they are found: a line of JSON each, or a table whose columns the first of them decide.
struct TraumaTable {
    private let isJSON: Bool
    private let width: Int?
    private let last: Int?
    private var rows: [ToldTrauma] = []
    private var table: TextTable?
    private(set) var isEmpty = true

    /// So many rows are looked at before the first is printed.
    private static let measuredCount = 200

    /// - Parameters:
    ///   - width: of the whole, in cells; nil if nothing is to be cut.
    ///   - last: how many to print; nil for all.
    init(isJSON: Bool, width: Int?, last: Int?) {
        (self.isJSON, self.width, self.last) = (isJSON, width, last)
    }

    mutating func add(_ told: ToldTrauma) {
        isEmpty = false
        rows.append(told)
        if let last {
            if rows.count >= 2 * last { rows.removeFirst(rows.count - last) }
        } else if isJSON || table != nil || rows.count == Self.measuredCount {
            flush()
        }
    }

    mutating func finish() {
        if let last { rows = rows.suffix(last) }
        flush()
    }

    private mutating func flush() {
        defer { rows = [] }
        if isJSON {
            for row in rows { Output.line(Printable.json(.object(row.json))) }
            return
        }
        guard !rows.isEmpty else { return }
        let cells = rows.map(cells)
        let table = self.table ?? TextTable(columns, cells, width: width)
        if self.table == nil { Output.line(table.heading) }
        self.table = table
        for row in cells { Output.line(table.line(row)) }
    }

    /// Where there is little room the year, the seconds and the actor go.
    private var isNarrow: Bool { width.map { $0 < 120 } ?? false }

    private var columns: [TextTable.Column] {
        [.init("SEQ", .number), .init("TIME"), .init("STATE")] + (isNarrow ? [] : [.init("ACTOR", .text(least: 12))])
            + [.init("SIGNATURE", .text(least: 12)), .init("TRAUMA", .text(least: 12))]
    }

    private func cells(_ told: ToldTrauma) -> [String] {
        let time = told.time.description
        let day = time.prefix(10) + " " + time.dropFirst(11).prefix(8)
        return [String(told.seq), isNarrow ? String(day.dropFirst(5).dropLast(3)) : String(day), told.state]
            + (isNarrow ? [] : [told.actor]) + [told.incident.signature.text, told.incident.trauma]
    }
}
