import CanonicalJSON
import LedgerFormat

/// Prints a list of entries: one line each, cut to the terminal's width where there is one.
struct EntryPrinter {
    let isJSON: Bool
    let columns: Int?
    /// The last seq that HEAD vouches for.
    let settledSeq: UInt64
    private var buffer: [UInt8] = []

    private static let bufferByteCount = 1 << 16

    init(isJSON: Bool, columns: Int?, settledSeq: UInt64) {
        self.isJSON = isJSON
        self.columns = columns
        self.settledSeq = settledSeq
    }

    mutating func print(_ frame: FrameView, _ bytes: Span<UInt8>) {
        if isJSON {
            var payload = Printable.json(bytes.copy(frame.payload))
            if frame.seq > settledSeq {
                payload.removeLast()
                payload += Array(#","unsettled":true}"#.utf8)
            }
            buffer += payload
        } else {
            buffer += Array(line(frame, bytes).utf8)
        }
        buffer.append(0x0A)
        if buffer.count >= Self.bufferByteCount || columns != nil { flush() }
    }

    mutating func flush() {
        Output.write(buffer)
        buffer.removeAll(keepingCapacity: true)
    }

    private func line(_ frame: FrameView, _ bytes: Span<UInt8>) -> String {
        let entry = Entry(frame, of: bytes)
        let isNarrow = columns.map { $0 < Self.fullColumns } ?? false
        // 2026-01-31 12:00:00.000 is enough for people, 01-31 12:00:00 where there is little room; --json has it all.
        let time = entry.time.description
        let day = time.prefix(10) + " " + time.dropFirst(11).prefix(12)
        var text = pad(String(entry.seq), isNarrow ? 4 : 6, left: true) + "  "
        text += (isNarrow ? String(day.dropFirst(5).dropLast(4)) : String(day)) + "  "
        text += pad(Printable.name(entry.actor), isNarrow ? 12 : 18) + "  " + pad(entry.action, isNarrow ? 15 : 20) + "  "
        text += frame.seq > settledSeq ? "(unsettled) " : ""
        text += isNarrow ? "" : entry.justification.reason + "  "
        text += String(decoding: entry.body, as: UTF8.self)
        text = Printable.text(text)
        guard let columns, text.count > columns else { return text }
        return text.prefix(columns - 1) + "…"
    }

    /// From this width on a line has room for everything.
    private static let fullColumns = 120

    private func pad(_ text: String, _ width: Int, left: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - text.count))
        return left ? space + text : text + space
    }
}
