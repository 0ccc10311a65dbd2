import CanonicalJSON

/// An entry that a repair took over from a damaged ledger: `ledger.readmitted`, which holds the whole payload (FORMAT.md §4.2).
package struct Readmission: Sendable {
    package static let action = "ledger.readmitted"

    /// The frame as it was then, and what lies where in it.
    package let frame: [UInt8]
    package let view: FrameView
    /// Whether the links up to HEAD's tip proved it: then it counts as it did, and otherwise it is only shown.
    package let isProven: Bool

    private static let opening = Array("{\"frame\":".utf8)
    private static let provenClosing = Array(",\"proven\":true}".utf8)
    private static let unprovenClosing = Array(",\"proven\":false}".utf8)

    /// Reads a `ledger.readmitted`; nil for any other entry, and for a body that has not the form.
    package init?(_ frame: FrameView, of bytes: Span<UInt8>) {
        guard frame.action.count == Self.action.utf8.count, bytes.text(frame.action) == Self.action else { return nil }
        let body = bytes.copy(frame.body)
        let isProven = body.ends(with: Self.provenClosing)
        let closing = isProven ? Self.provenClosing : Self.unprovenClosing
        guard body.starts(with: Self.opening), body.ends(with: closing), body.count > Self.opening.count + closing.count else {
            return nil
        }
        let payload = Array(body[Self.opening.count..<body.count - closing.count])
        let inner = Array("\(payload.count):".utf8) + payload + [0x0A]
        guard case .frame(let view) = FrameView.find(in: inner.span, at: 0), view.frame.count == inner.count else { return nil }
        self.frame = inner
        self.view = view
        self.isProven = isProven
    }

    /// As it was sealed then, with the seq and hash that receipts of it name.
    package var entry: Entry { Entry(view, of: frame.span) }

    /// The payload's canonical bytes.
    package var payload: [UInt8] { frame.span.copy(view.payload) }

    /// What takes a sound frame over. One that holds an earlier `ledger.readmitted` is not wrapped twice.
    ///
    /// - Returns: nil if it is nested too deeply to stand inside another, which no writer of format 1 leaves.
    package static func draft(of frame: FrameView, in bytes: Span<UInt8>, isProven: Bool) -> (
        draft: Draft, seq: UInt64, isProven: Bool
    )? {
        let earlier = Readmission(frame, of: bytes)
        let payload = earlier?.payload ?? bytes.copy(frame.payload)
        let isProven = isProven && earlier?.isProven ?? true
        let body = opening + payload + (isProven ? provenClosing : unprovenClosing)
        // A payload and its entry enclose the body.
        guard (try? JSON(parsing: body, maximumDepth: Limits.depth - 2)) != nil else { return nil }
        let draft = try? Draft(
            action, "service:bulla", Justification(.resilience, "it stood undamaged in the ledger that was repaired"),
            canonicalBody: body, [:])
        return draft.map { ($0, earlier?.entry.seq ?? frame.seq, isProven) }
    }
}

extension [UInt8] {
    fileprivate func ends(with other: [UInt8]) -> Bool { count >= other.count && self[(count - other.count)...] == other[...] }
}
