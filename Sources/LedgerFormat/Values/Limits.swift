/// The sizes that format 1 fixes, in bytes (FORMAT.md §3, design §2).
package enum Limits {
    /// A frame's payload at most.
    package static let payload = 1 << 20
    /// A frame at most: seven digits, a colon, the payload, a line feed.
    package static let frame = payload + 9
    /// A draft's payload at most: less than a frame's, so that a frame can be re-admitted inside another.
    package static let draftPayload = payload - (64 << 10)
    /// Nested containers on disk, and in a draft.
    package static let depth = 64
    package static let draftDepth = 48
    /// The frames that become durable together.
    package static let commit = 8 << 20
    /// How far HEAD may lag, and so how far behind it a crash can have torn something.
    package static let headLag = 8 << 20
    /// What a crash can leave behind the torn place, with room to spare; more is no crash.
    package static let tornTail = 32 << 20
    /// A segment is followed by the next one from this size on.
    package static let segment = 256 << 20
    /// Seqs stay exact in a double.
    package static let seq: UInt64 = (1 << 53) - 1
}
