/// Where the parts of one well-formed frame lie in a buffer: offsets only, so that looking allocates nothing.
///
/// A view says that the frame has the form of FORMAT.md §3 and §4; whether it belongs there and is sealed, the chain says.
/// Kept small: millions of them are passed on in a second. What hexadecimal digits stand for, it reads only when asked.
package struct FrameView: Sendable {
    /// Where LENGTH starts in the buffer.
    var start = 0
    /// LENGTH to line feed.
    var byteCount: Int32 = 0
    // Relative to `start`; texts without their quotation marks. All else stands at a fixed distance from one of these. Both ends
    // are kept, because members that format 1 does not know may stand between any two that it does.
    var entryStart: Int32 = 0
    var actionStart: Int32 = 0, actionEnd: Int32 = 0, actorStart: Int32 = 0, actorEnd: Int32 = 0
    var bodyStart: Int32 = 0, bodyEnd: Int32 = 0, contextStart: Int32 = 0, contextEnd: Int32 = 0
    var reasonStart: Int32 = 0, reasonEnd: Int32 = 0
    var keyStart: Int32 = 0, ledgerStart: Int32 = 0, linkStart: Int32 = 0, timeStart: Int32 = 0
    package internal(set) var pillar = Justification.Pillar.integrity
    /// Whether a `ChainTurn` is to be read from it.
    var isTurn = false
    /// Whether `key`, `ledger` and `prev_hash` are what the frame found before it in the same buffer calls for.
    var continuesPrevious = false
    package internal(set) var part: Part?
    package internal(set) var seq: UInt64 = 0
    package internal(set) var synced: UInt64 = 0
    package internal(set) var time = Timestamp(microseconds: 0)
    package internal(set) var version: UInt64 = 0
}

// Where what is found, in the buffer.
extension FrameView {
    /// The whole frame.
    package var frame: Range<Int> { start..<end }
    /// ENTRY, the bytes that are sealed.
    package var entry: Range<Int> { place(entryStart)..<end &- (1 + FrameShape.tailByteCount) }
    /// Texts without their quotation marks.
    package var action: Range<Int> { place(actionStart)..<place(actionEnd) }
    package var actor: Range<Int> { place(actorStart)..<place(actorEnd) }
    package var reason: Range<Int> { place(reasonStart)..<place(reasonEnd) }
    /// Canonical objects.
    package var body: Range<Int> { place(bodyStart)..<place(bodyEnd) }
    package var context: Range<Int> { place(contextStart)..<place(contextEnd) }
    /// The 64 digits of HASH and of SIG.
    var hashText: Range<Int> { end &- 140..<end &- 76 }
    package var signatureText: Range<Int> { end &- 67..<end &- 3 }
    /// `{"entry":…,"hash":…,"sig":…}`.
    package var payload: Range<Int> { place(entryStart) &- FrameShape.head.utf8CodeUnitCount..<end &- 1 }

    /// Behind the line feed.
    private var end: Int { place(byteCount) }

    /// Where in the buffer. The frame was found there, so none of this overflows.
    @inline(__always)
    private func place(_ offset: Int32) -> Int { start &+ Int(offset) }

    /// From the start of ENTRY to the quotation mark behind the actor.
    var actionAndActor: Range<Int> { place(entryStart)..<place(actorEnd) &+ 1 }
    /// From the quotation mark behind the reason to the one before `prev_hash`'s digits: the same in all entries of a ledger.
    var keyAndLedger: Range<Int> { place(reasonEnd)..<place(linkStart) }
    /// What stands between the context and `prev_hash`'s digits.
    var justificationToLedger: Range<Int> { place(contextEnd)..<place(linkStart) }
    /// The 64 digits of `prev_hash`.
    var previousHashText: Range<Int> { place(linkStart)..<place(linkStart) &+ 64 }
    /// The time up to its second.
    var secondText: Range<Int> { place(timeStart)..<place(timeStart) &+ Timestamp.secondByteCount }
}

// What hexadecimal digits stand for.
extension FrameView {
    package func key(in bytes: Span<UInt8>) -> KeyID {
        guard let key = KeyID(hex: bytes, at: place(keyStart)) else { Self.hasForm() }
        return key
    }

    package func ledger(in bytes: Span<UInt8>) -> LedgerID {
        guard let ledger = LedgerID(hex: bytes, at: place(ledgerStart)) else { Self.hasForm() }
        return ledger
    }

    package func previousHash(in bytes: Span<UInt8>) -> Digest {
        guard let digest = Digest(hex: bytes, at: previousHashText.lowerBound) else { Self.hasForm() }
        return digest
    }

    package func hash(in bytes: Span<UInt8>) -> Digest {
        guard let digest = Digest(hex: bytes, at: hashText.lowerBound) else { Self.hasForm() }
        return digest
    }

    private static func hasForm() -> Never { preconditionFailure("a view's digits are those of the buffer it was found in") }
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
        case .member("members"): "the entry's members are not those that the format asks for"
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
