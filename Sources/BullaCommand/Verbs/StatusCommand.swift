import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .status,
        abstract: "Tell at a glance what the ledger holds and whether it is in order.",
        discussion: """
            Looks at HEAD and what lies behind it, in the same time whatever the ledger's size; `bulla verify` checks everything. \
            Of a damaged ledger it tells what it can, and the code is 10.

            Example:
              bulla status
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let storage = try options.storage()
        let watch = try AnchorWatch(options.anchor, storage)
        let (status, snapshotSeq) = try LedgerView.asking(storage) { view throws(LedgerError) in
            (LedgerStatus(view, .system), Self.usedSnapshot(view))
        }
        let anchor = try status.lastSeq.flatMap { lastSeq throws(LedgerError) in try watch?.verdict(lastSeq: lastSeq, .system) }
        if options.json {
            Output.line(Printable.json(json(status, anchor, snapshotSeq)))
        } else {
            printText(status, anchor, snapshotSeq)
        }
        if let damage = status.damage { throw damage }
        if case .alarm = anchor { Output.exit(ErrorCode.tampered.rawValue) }
    }

    /// The snapshot from which the state can be folded up to the tip; nil if there is none that the ledger bears out.
    ///
    /// Without one, or with too much behind it, nothing is folded here: that takes longer the longer the ledger is.
    private static func usedSnapshot(_ view: LedgerView) -> UInt64? {
        guard var found = try? FoundFold<Documents>(in: view, .system), let seq = found.snapshotSeq, let head = view.validHead,
            head.seq - min(seq, head.seq) <= foldedCountMax
        else {
            return nil
        }
        return (try? found.fold.advance(in: view, .system)).flatMap { seq }
    }

    /// Twice what lies between two snapshots of who changes state.
    private static let foldedCountMax: UInt64 = 20_000

    private func json(_ status: LedgerStatus, _ anchor: AnchorVerdict?, _ snapshotSeq: UInt64?) -> JSON {
        let audit: JSON? = status.audits.full.map { full in
            [
                "age_microseconds": .number(Double(status.now.microseconds - full.time.microseconds)),
                "seq": .number(Double(full.seq)), "time": .string(full.time.description),
            ]
        }
        return [
            "alert": status.head.map { .bool($0.alert) } ?? .null,
            "alert_cause": status.alertCause.map { .string($0.text) } ?? .null,
            "anchor": .string(anchor?.word ?? (options.anchor == nil ? "off" : "unknown")),
            "audit": audit ?? .null,
            "bytes": .number(Double(status.byteCount)), "first": .number(Double(status.firstSeq)),
            "damage": status.damage.map { .string($0.message) } ?? .null,
            "head": status.head.map { .number(Double($0.seq)) } ?? .null,
            "key": status.key.map { .string($0.description) } ?? .null,
            "key_present": .bool(status.keyAbsence == nil), "ledger": status.ledger.map { .string($0.description) } ?? .null,
            "path": .string(options.path), "segments": .number(Double(status.segmentCount)),
            "snapshot": snapshotSeq.map { .number(Double($0)) } ?? .null, "snapshot_loaded": .bool(snapshotSeq != nil),
            "tip": status.tip?.receipt.json ?? .null, "unsettled": status.unsettledCount.map { .number(Double($0)) } ?? .null,
        ]
    }

    private func printText(_ status: LedgerStatus, _ anchor: AnchorVerdict?, _ snapshotSeq: UInt64?) {
        let unknown = "unknown"
        let alert = status.head.map { $0.alert ? "RAISED: nothing is written until it is released" : "none" }
        let rows: [(String, String?)] = [
            ("ledger", "\(options.path), id \(status.ledger.map(\.description) ?? unknown)"),
            ("tip", status.tip.map { "seq \(Format.count($0.seq)), \($0.time), by \($0.actor)" } ?? unknown),
            ("hash", status.tip?.hash.description ?? unknown),
            ("size", "\(Format.bytes(status.byteCount)) in \(status.segmentCount) segment\(status.segmentCount == 1 ? "" : "s")"),
            ("archived", status.firstSeq > 1 ? "what lies before seq \(Format.count(status.firstSeq))" : nil),
            ("unsettled", status.unsettledCount.map { $0 > 0 ? "\($0) entries behind HEAD" : "none" } ?? unknown),
            ("key", status.key.map { key in status.keyAbsence.map { "\(key): \($0)" } ?? "\(key)" } ?? unknown),
            ("audit", audit(status)),
            ("snapshot", snapshotSeq.map { "of seq \(Format.count($0)), and the state folds from it" } ?? "none in use"),
            ("anchor", anchor.map { $0.message(ledger: options.path) ?? "agrees" } ?? (options.anchor == nil ? "off" : unknown)),
            ("alert", alert ?? unknown),
            ("cause", status.alertCause.map { "\($0.text) (\($0.time))" }),
            ("damage", status.damage?.message),
        ]
        for case (let name, let value?) in rows {
            Output.line(name + String(repeating: " ", count: 11 - name.count) + Printable.text(value))
        }
    }

    /// The last full audit, and how far another has come.
    private func audit(_ status: LedgerStatus) -> String {
        let audits = status.audits
        var text = "never"
        if let full = audits.full {
            text = "full up to seq \(Format.count(full.seq)), \(Format.age(status.now, since: full.time))"
        } else if let doubt = audits.doubt {
            text = "unknown: \(doubt)"
        }
        if let pass = audits.pass { text += "; another has come to seq \(Format.count(pass.place.seq))" }
        return text
    }
}

extension Format {
    /// For example `3 minutes ago`, or the time itself when it lies ahead.
    static func age(_ now: Timestamp, since time: Timestamp) -> String {
        let seconds = (now.microseconds - time.microseconds) / 1_000_000
        guard seconds >= 0 else { return "at \(time), which lies ahead of the clock" }
        for (unit, length) in [("day", Int64(86_400)), ("hour", 3600), ("minute", 60)] where seconds >= length {
            let count = seconds / length
            return "\(count) \(unit)\(count == 1 ? "" : "s") ago"
        }
        return "\(seconds) second\(seconds == 1 ? "" : "s") ago"
    }
}

extension AnchorVerdict {
    /// For programs.
    var word: String {
        switch self {
        case .fine: "fine"
        case .notice: "notice"
        case .archived: "archived"
        case .warning: "warning"
        case .alarm: "alarm"
        }
    }
}
