package import CanonicalJSON
package import LedgerFormat

/// What one verified entry says, as projections see it; its parts are read when they are asked for.
package struct Fact: Sendable {
    /// The seq under which it was recorded, and which receipts of it name.
    package let seq: UInt64
    /// The seq of the entry that brings it: another one only where a repair has re-admitted it.
    package let position: UInt64
    package let time: Timestamp
    /// A dotted verb.
    package let action: String
    package let pillar: Justification.Pillar
    /// The canonical bytes of the entry from its actor to its reason, and where its parts lie in them.
    private let text: [UInt8]
    private let actorPlace, bodyPlace, contextPlace, reasonPlace: Range<Int>
}

extension Fact {
    /// What a view shows of `bytes`; nil for what a repair re-admitted without proof, which is shown and never folded.
    init?(_ frame: FrameView, of bytes: Span<UInt8>) {
        guard let readmission = Readmission(frame, of: bytes) else {
            self.init(frame, of: bytes, at: frame.seq)
            return
        }
        guard readmission.isProven else { return nil }
        self.init(readmission.view, of: readmission.frame.span, at: frame.seq)
    }

    private init(_ frame: FrameView, of bytes: Span<UInt8>, at position: UInt64) {
        self.position = position
        seq = frame.seq
        time = frame.time
        action = bytes.text(frame.action)
        pillar = frame.pillar
        let start = frame.actor.lowerBound
        // With the quotation mark behind the reason: it is read as a JSON string.
        text = bytes.copy(start..<frame.reason.upperBound + 1)
        actorPlace = frame.actor.lowerBound - start..<frame.actor.upperBound - start
        bodyPlace = frame.body.lowerBound - start..<frame.body.upperBound - start
        contextPlace = frame.context.lowerBound - start..<frame.context.upperBound - start
        reasonPlace = frame.reason.lowerBound - start - 1..<frame.reason.upperBound - start + 1
    }
}

extension Fact {
    /// `kind:name`.
    package var actor: String { text.span.text(actorPlace) }

    /// An object.
    package var body: JSON { value(at: bodyPlace) }

    /// An object.
    package var context: JSON { value(at: contextPlace) }

    /// Why it was done.
    package var reason: String {
        guard let reason = value(at: reasonPlace).string else { preconditionFailure("a verified reason is a string") }
        return reason
    }

    /// Lets `read` see the body's canonical text: who folds many entries makes no tree of each.
    package func withBody<Result, Failure: Error>(
        _ read: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try read(text.span.extracting(bodyPlace))
    }

    private func value(at place: Range<Int>) -> JSON {
        guard let value = try? JSON(parsing: text.span.extracting(place)) else { preconditionFailure("a verified entry is JSON") }
        return value
    }
}
