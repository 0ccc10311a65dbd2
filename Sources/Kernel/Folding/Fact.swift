package import CanonicalJSON
package import LedgerFormat

/// What one verified entry says, as projections see it.
package struct Fact: Sendable {
    /// The seq under which it was recorded, and which receipts of it name.
    package let seq: UInt64
    /// The seq of the entry that brings it: another one only where a repair has re-admitted it.
    package let position: UInt64
    package let time: Timestamp
    /// A dotted verb.
    package let action: String
    /// `kind:name`.
    package let actor: String
    /// An object.
    package let body: JSON
    /// An object.
    package let context: JSON
    package let pillar: Justification.Pillar
    /// What stands between the quotation marks of a canonical JSON string: few ask for it, and reading it costs more than keeping it.
    fileprivate let reasonText: [UInt8]
}

extension Fact {
    /// What a view shows of `bytes`; nil for what a repair re-admitted without proof, which is shown and never folded.
    init?(_ frame: FrameView, of bytes: Span<UInt8>) {
        guard let readmission = Readmission(frame, of: bytes) else {
            self.init(
                seq: frame.seq, position: frame.seq, time: frame.time, action: bytes.text(frame.action),
                actor: bytes.text(frame.actor), body: bytes.object(frame.body), context: bytes.object(frame.context),
                pillar: frame.pillar, reasonText: bytes.copy(frame.reason))
            return
        }
        guard readmission.isProven else { return nil }
        let entry = readmission.entry
        self.init(
            seq: entry.seq, position: frame.seq, time: entry.time, action: entry.action, actor: entry.actor,
            body: entry.body.span.object(entry.body.indices), context: entry.context.span.object(entry.context.indices),
            pillar: entry.justification.pillar,
            reasonText: Array(JSON.string(entry.justification.reason).canonicalBytes().dropFirst().dropLast()))
    }

    /// Why it was done.
    package var reason: String {
        let text = [UInt8(ascii: "\"")] + reasonText + [UInt8(ascii: "\"")]
        guard let reason = (try? JSON(parsing: text))?.string else { preconditionFailure("a verified reason is a string") }
        return reason
    }
}

extension Span<UInt8> {
    /// The object whose canonical text stands in a range of a verified frame.
    fileprivate func object(_ range: Range<Int>) -> JSON {
        if range.count == 2 { return [:] }
        guard let object = try? JSON(parsing: extracting(range)) else { preconditionFailure("a verified entry is JSON") }
        return object
    }
}
