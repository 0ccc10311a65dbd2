import Ledger
import LedgerFormat

/// Which entries a list shows, told from their bytes without decoding them.
struct EntryFilter {
    private let actor: Pattern?
    private let action: Pattern?
    private let since: Timestamp?

    private struct Pattern {
        let bytes: [UInt8]
        let isPrefix: Bool

        init(_ text: String) {
            isPrefix = text.hasSuffix("*")
            bytes = Array((isPrefix ? String(text.dropLast()) : text).utf8)
        }

        func matches(_ span: Span<UInt8>, _ range: Range<Int>) -> Bool {
            guard isPrefix ? range.count >= bytes.count : range.count == bytes.count else { return false }
            for index in bytes.indices where span[range.lowerBound + index] != bytes[index] { return false }
            return true
        }
    }

    init(actor: String?, action: String?, since: Timestamp?) {
        self.actor = actor.map(Pattern.init)
        self.action = action.map(Pattern.init)
        self.since = since
    }

    /// Whether it lets everything through.
    var isEmpty: Bool { actor == nil && action == nil && since == nil }

    func matches(_ frame: FrameView, _ bytes: Span<UInt8>) -> Bool {
        if let since, frame.time < since { return false }
        if let action, !action.matches(bytes, frame.action) { return false }
        if let actor, !actor.matches(bytes, frame.actor) { return false }
        return true
    }
}

/// Finds where the last N entries that fit begin, reading backwards in growing steps.
struct LastMatches {
    private let view: LedgerView
    private let matches: (FrameView, Span<UInt8>) -> Bool

    init(_ view: LedgerView, matches: @escaping (FrameView, Span<UInt8>) -> Bool) {
        self.view = view
        self.matches = matches
    }

    func first(of count: Int, from first: UInt64, through last: UInt64) throws(LedgerError) -> UInt64 {
        var seqs: [UInt64] = []
        var end = last
        var step: UInt64 = 10_000
        while seqs.count < count, end >= first {
            let start = end - first >= step ? end - step + 1 : first
            var found: [UInt64] = []
            try EntryReader(view, .system).read(from: start, through: end) { frame, bytes in
                if matches(frame, bytes) { found.append(frame.seq) }
                return true
            }
            seqs = found + seqs
            if start == first { break }
            end = start - 1
            step *= 4
        }
        return seqs.suffix(count).first ?? last + 1
    }
}
