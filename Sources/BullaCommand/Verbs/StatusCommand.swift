import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Tell at a glance what the ledger holds and whether it is in order.",
        discussion: """
            Looks at HEAD and what lies behind it, in the same time whatever the ledger's size; `bulla verify` checks everything.

            Example:
              bulla status
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let storage = try options.storage()
        let watch = try AnchorWatch(options.anchor, storage)
        let view = try LedgerView(storage)
        let head: Head
        switch view.head {
        case .success(let valid): head = valid
        case .failure(let fault):
            throw LedgerError(.tampered, "\(fault); `bulla verify` shows how far the ledger is whole", at: nil)
        }
        var sizes = 0
        for segment in view.segments { sizes += (try? storage.status(of: SegmentReader.path(ofSegment: segment)))??.size ?? 0 }
        let tip = try EntryReader(view, .system).lastSeq()
        let entry = try EntryReader(view, .system).entry(min(tip, head.seq))
        let anchor = try watch?.verdict(lastSeq: tip, .system)
        print(view, head, entry, tip: tip, byteCount: sizes, anchor)
        if case .alarm = anchor { Output.exit(ErrorCode.tampered.rawValue) }
    }

    private func print(_ view: LedgerView, _ head: Head, _ entry: Entry, tip: UInt64, byteCount: Int, _ anchor: AnchorVerdict?) {
        if options.json {
            Output.line(
                Printable.json([
                    "alert": .bool(head.alert), "anchor": .string(anchor?.word ?? "off"), "bytes": .number(Double(byteCount)),
                    "head": .number(Double(head.seq)),
                    "key": .string(head.key.description), "key_present": .bool(view.keyAbsence == nil),
                    "ledger": .string(head.ledger.description), "path": .string(options.path),
                    "segments": .number(Double(view.segments.count)), "snapshot_loaded": false, "tip": entry.receipt.json,
                    "unsettled": .number(Double(tip - min(tip, head.seq))),
                ]))
            return
        }
        let rows: [(String, String)] = [
            ("ledger", "\(options.path), id \(head.ledger)"),
            ("tip", "seq \(Format.count(entry.seq)), \(entry.time), by \(entry.actor)"),
            ("hash", entry.hash.description),
            ("size", "\(Format.bytes(byteCount)) in \(view.segments.count) segment\(view.segments.count == 1 ? "" : "s")"),
            ("unsettled", tip > head.seq ? "\(tip - head.seq) entries behind HEAD" : "none"),
            ("key", view.keyAbsence.map { "\(head.key): \($0)" } ?? "\(head.key)"),
            ("alert", head.alert ? "RAISED: nothing is written until it is released" : "none"),
        ]
        for (name, value) in rows + [("anchor", anchor.map { $0.message(ledger: options.path) ?? "agrees" } ?? "off")] {
            Output.line(name + String(repeating: " ", count: 11 - name.count) + Printable.text(value))
        }
    }
}

extension AnchorVerdict {
    /// For programs.
    var word: String {
        switch self {
        case .fine: "fine"
        case .notice: "notice"
        case .warning: "warning"
        case .alarm: "alarm"
        }
    }
}
