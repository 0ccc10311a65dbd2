import Lanes
import Ledger
import LedgerFormat

/// The screen of lanes: from a state and a size to lines, none wider than the screen, and no more of them than it is high.
struct LaneLayout {
    let width: Int
    let height: Int

    func lines(_ state: LanesWatch.State, path: String) -> [MonitorLayout.Line] {
        guard width > 0, height > 0 else { return [] }
        let table = LaneTable(state.lanes, at: state.now)
        var lines = [MonitorLayout.title("bulla lanes \(path)", at: state.now.time, width: width)]
        var bad: [String] = []
        if state.isAlert { bad.append("ALERT RAISED: nothing is written until it is released") }
        if let trouble = state.trouble { bad.append("CANNOT BE READ: \(trouble.message)") }
        lines += bad.flatMap { Cells.wrap($0, to: width) }.map {
            MonitorLayout.Line(text: Cells.fit($0, to: width), style: .loud)
        }
        let live = state.lanes.leases.count
        lines.append(MonitorLayout.Line(text: Cells.cut("\(live) leases, seq \(Format.count(state.seq))", to: width)))
        let columns = LaneColumns(table.rows, width: width)
        lines.append(MonitorLayout.Line(text: Cells.fit(columns.heading, to: width), style: .heading))
        lines += table.rows.map { row in
            row.isBad
                ? MonitorLayout.Line(text: columns.text(row), style: .loud) : MonitorLayout.Line(text: columns.text(row))
        }
        if lines.count > height {
            let hidden = lines.count - height + 1
            lines = lines.prefix(height - 1) + [MonitorLayout.Line(text: Cells.cut("… and \(hidden) more", to: width))]
        }
        return Array(lines.prefix(height))
    }
}
