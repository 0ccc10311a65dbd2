/// Where the parts of one well-formed frame lie in a buffer: offsets only, so that looking allocates nothing.
///
/// A view says that the frame has the form of FORMAT.md §3 and §4; whether it belongs there and is sealed, the chain says.
package struct FrameView: Sendable {
    /// The whole frame, LENGTH to line feed.
    package var frame: Range<Int>
    /// ENTRY, the bytes that are sealed.
    package var entry: Range<Int>
    /// Texts without their quotation marks.
    package var action: Range<Int>
    package var actor: Range<Int>
    package var reason: Range<Int>
    /// Canonical objects.
    package var body: Range<Int>
    package var context: Range<Int>
    package var pillar: Justification.Pillar
    package var key: KeyID
    package var ledger: LedgerID
    package var previousHash: Digest
    package var seq: UInt64
    package var synced: UInt64
    package var time: Timestamp
    package var version: UInt64
    package var part: Part?
    package var hash: Digest
    package var sig: Digest

    /// The 64 digits of SIG.
    package var signatureText: Range<Int> { frame.upperBound - 67..<frame.upperBound - 3 }
    /// `{"entry":…,"hash":…,"sig":…}`.
    package var payload: Range<Int> { entry.lowerBound - FrameShape.head.utf8CodeUnitCount..<frame.upperBound - 1 }
}

/// Which of the entries of one decision this is: the `index`-th of `count`, from 1.
package struct Part: Sendable, Equatable {
    package var index: Int
    package var count: Int

    package init(index: Int, count: Int) {
        self.index = index
        self.count = count
    }

    package var isLast: Bool { index == count }
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
