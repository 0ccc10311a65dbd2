import DurableFiles
import Ledger
import LedgerFormat

/// A monitor's screen: from a state and a size to lines, none wider than the screen, and no more of them than it is high.
package struct MonitorLayout {
    package enum Style: Equatable {
        case plain, title, heading
        /// Something is wrong.
        case loud
    }

    package struct Line: Equatable {
        package var text: String
        package var style: Style = .plain
    }

    package let width: Int
    package let height: Int

    /// In cells and lines.
    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    private static let nameWidth = 8
    /// The last entries are why one looks: facts give way to so many of them.
    private static let rowCountMin = 3
    private static let loudCountMax = 4

    package func lines(_ state: MonitorState) -> [Line] {
        guard width > 0, height > 0 else { return [] }
        var lines = [Self.title("bulla \(state.path)", at: state.now, width: width)]
        lines += verdict(state)
        let room = height - lines.count - 1 - Self.rowCountMin
        for (name, value) in Self.facts(state).prefix(max(1, room)) {
            lines.append(Line(text: Cells.cut(Cells.fit(name, to: Self.nameWidth) + value, to: width)))
        }
        let columns = Columns(width: width, lastSeq: state.rows.last?.seq ?? 0)
        lines.append(Line(text: Cells.fit(columns.heading, to: width), style: .heading))
        for row in state.rows.reversed() { lines.append(Line(text: Cells.cut(columns.text(row), to: width))) }
        return Array(lines.prefix(height))
    }

    /// What is watched, the time, and how to end it.
    static func title(_ name: String, at now: Timestamp, width: Int) -> Line {
        let right = "\(time(now).suffix(8)) UTC  q quits"
        let room = width - right.count - 2
        guard room >= 16 else { return Line(text: Cells.fit(name, to: width), style: .title) }
        return Line(text: Cells.fit(name, to: room) + "  " + right, style: .title)
    }

    private func verdict(_ state: MonitorState) -> [Line] {
        let (text, isLoud) = Self.verdict(state)
        guard isLoud else { return [Line(text: Cells.cut(Cells.fit("state", to: Self.nameWidth) + text, to: width))] }
        return Cells.wrap(text, to: width).prefix(Self.loudCountMax).map {
            Line(text: Cells.fit($0, to: width), style: .loud)
        }
    }

    /// In one sentence, and whether it is bad.
    static func verdict(_ state: MonitorState) -> (text: String, isLoud: Bool) {
        var bad: [String] = []
        if state.isAlert { bad.append("ALERT RAISED: nothing is written until it is released") }
        switch state.trouble?.code {
        case .tampered?: bad.append("TAMPERED: \(state.trouble?.message ?? "")")
        case .some: bad.append("CANNOT BE READ: \(state.trouble?.message ?? "")")
        case nil: break
        }
        if state.trouble == nil, let absence = state.keyAbsence { bad.append("UNVERIFIABLE: \(absence)") }
        if !bad.isEmpty { return (bad.joined(separator: "; "), true) }
        return ("its end is in order; `bulla verify` checks all of it", false)
    }

    /// What there is to say, the most urgent first.
    static func facts(_ state: MonitorState) -> [(name: String, value: String)] {
        var facts: [(String, String)] = []
        if let tip = state.tip {
            let hash = tip.hash.description.prefix(12)
            facts.append(
                (
                    "tip",
                    "\(state.isOld ? "last seen: " : "")seq \(Format.count(tip.seq)), \(age(of: tip.time, at: state.now)), \(time(tip.time)), hash \(hash)…"
                ))
        } else {
            facts.append(("tip", "unknown"))
        }
        facts.append(("rate", state.rate.map { "\(tenths($0)) entries/s" } ?? "-"))
        facts.append(("lock", state.isOpen ? lock(state.holder) : "unknown"))
        let size = state.byteCount.map { Format.bytes($0) } ?? "unknown"
        facts.append(("size", size + (state.segmentCount.map { " in \($0) segment\($0 == 1 ? "" : "s")" } ?? "")))
        facts.append(
            (
                "audit",
                state.audit.map { "full one \(age(of: $0.time, at: state.now)), up to seq \($0.seq)" }
                    ?? (state.isAuditKnown ? "never" : "unknown")
            ))
        facts.append(("key", state.keyAbsence ?? state.key.map { "\($0), present" } ?? "unknown"))
        facts.append(("ledger", state.ledger?.description ?? "unknown"))
        return facts
    }

    private static func lock(_ holder: LockHolder?) -> String {
        guard let holder else { return "free" }
        return "process \(holder.process) (\(holder.command))"
            + (holder.isStopped ? ", STOPPED: continue it with kill -CONT" : "")
    }

    /// `2026-01-31 12:00:00`.
    static func time(_ time: Timestamp) -> String {
        let text = time.description
        return text.prefix(10) + " " + text.dropFirst(11).prefix(8)
    }

    static func age(of time: Timestamp, at now: Timestamp) -> String {
        let seconds = (now.microseconds - time.microseconds) / 1_000_000
        switch seconds {
        case ..<(-1): return "in the future"
        case ..<120: return "\(max(0, seconds)) s ago"
        case ..<7200: return "\(seconds / 60) min ago"
        case ..<172_800: return "\(seconds / 3600) h ago"
        default: return "\(Format.count(seconds / 86_400)) days ago"
        }
    }

    private static func tenths(_ value: Double) -> String {
        let scaled = Int((value * 10).rounded())
        return "\(Format.count(scaled / 10)).\(scaled % 10)"
    }
}

extension MonitorLayout {
    /// How the list of entries shares its width.
    struct Columns {
        private let gap: String
        private let seqWidth: Int
        private let timeWidth: Int
        private let actorWidth: Int
        private let actionWidth: Int
        private let reasonWidth: Int

        init(width: Int, lastSeq: UInt64) {
            gap = width >= 64 ? "  " : " "
            seqWidth = max(3, String(lastSeq).count)
            // The whole, without the year, or the hour alone.
            timeWidth = width >= 110 ? 19 : width >= 64 ? 14 : 8
            let rest = max(0, width - seqWidth - timeWidth - 4 * gap.count)
            actorWidth = min(28, rest * 3 / 10)
            actionWidth = min(28, rest * 3 / 10)
            reasonWidth = rest - actorWidth - actionWidth
        }

        var heading: String { text("seq", "time", "actor", "action", "reason") }

        func text(_ row: MonitorState.Row) -> String {
            text(
                String(row.seq), String(MonitorLayout.time(row.time).suffix(timeWidth)), row.actor, row.action,
                (row.isSettled ? "" : "(unsettled) ") + row.reason)
        }

        private func text(_ seq: String, _ time: String, _ actor: String, _ action: String, _ reason: String) -> String {
            let columns = [
                String(repeating: " ", count: max(0, seqWidth - seq.count)) + seq, Cells.fit(time, to: timeWidth),
                Cells.fit(actor, to: actorWidth), Cells.fit(action, to: actionWidth), Cells.cut(reason, to: reasonWidth),
            ]
            return columns.joined(separator: gap)
        }
    }
}
