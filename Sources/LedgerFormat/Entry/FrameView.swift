/// Where the parts of one well-formed frame lie in a buffer: offsets only, so that looking allocates nothing.
///
/// A view says that the frame has the form of FORMAT.md §3 and §4; whether it belongs there and is sealed, the chain says.
/// Kept small: millions of them are passed on in a second.
package struct FrameView: Sendable {
    /// A part of the frame, relative to its start.
    struct Part32: Sendable {
        var start: Int32
        var end: Int32
    }

    /// Where LENGTH starts in the buffer.
    let start: Int
    /// LENGTH to line feed.
    let byteCount: Int32
    let entryPart, actionPart, actorPart, bodyPart, contextPart, reasonPart: Part32
    package let pillar: Justification.Pillar
    package let part: Part?
    package let key: KeyID
    package let ledger: LedgerID
    package let previousHash: Digest
    package let hash: Digest
    package let seq: UInt64
    package let synced: UInt64
    package let time: Timestamp
    package let version: UInt64

    /// The whole frame.
    package var frame: Range<Int> { start..<start + Int(byteCount) }
    /// ENTRY, the bytes that are sealed.
    package var entry: Range<Int> { range(entryPart) }
    /// Texts without their quotation marks.
    package var action: Range<Int> { range(actionPart) }
    package var actor: Range<Int> { range(actorPart) }
    package var reason: Range<Int> { range(reasonPart) }
    /// Canonical objects.
    package var body: Range<Int> { range(bodyPart) }
    package var context: Range<Int> { range(contextPart) }
    /// The 64 digits of SIG.
    package var signatureText: Range<Int> { frame.upperBound - 67..<frame.upperBound - 3 }
    /// `{"entry":…,"hash":…,"sig":…}`.
    package var payload: Range<Int> { entry.lowerBound - FrameShape.head.utf8CodeUnitCount..<frame.upperBound - 1 }

    private func range(_ part: Part32) -> Range<Int> { start + Int(part.start)..<start + Int(part.end) }
}

/// Which of the entries of one decision this is: the `index`-th of `count`, from 1.
package struct Part: Sendable, Equatable {
    package var index: Int32
    package var count: Int32

    package init(index: Int, count: Int) {
        self.index = Int32(index)
        self.count = Int32(count)
    }

    package var isLast: Bool { index == count }

    /// The part that must follow.
    var next: Part { Part(index: Int(index) + 1, count: Int(count)) }
}

/// What is wrong with the form of a frame.
package enum FrameFault: Error, Sendable, Equatable {
    case length
    case payloadTooLong
    case notTerminated
    case shape
    case notCanonical(String)
    case member(String)
}

extension FrameFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .length: "no frame starts here: there is no correct length"
        case .payloadTooLong: "the frame's length is over \(Limits.payload) bytes"
        case .notTerminated: "no line feed ends the frame"
        case .shape: "the frame does not hold an entry, a hash and a sig"
        case .notCanonical(let why): "the bytes are no canonical JSON: \(why)"
        case .member(let name): "the entry's \(name) is not what the format asks for"
        }
    }
}

/// The constant text of a frame.
enum FrameShape {
    static let head: StaticString = "{\"entry\":"
    static let hash: StaticString = ",\"hash\":\""
    static let sig: StaticString = "\",\"sig\":\""
    static let end: StaticString = "\"}"
    /// What follows ENTRY in a payload: both digests and the text around them.
    static let tailByteCount = 9 + 64 + 9 + 64 + 2
}
