package import LedgerFormat

/// Sizes, times and rules that a writer keeps to; tests make them small.
package struct WriterSettings: Sendable {
    /// A segment that would grow over this is followed by the next one, in bytes.
    package var segmentByteCount = Limits.segment
    /// How far a segment is filled with NULs ahead of the data, in bytes; 0 for not at all.
    package var preallocationByteCountMax = 4 << 20
    /// HEAD is replaced at least every so many commits, bytes and microseconds by a process that keeps the lock.
    package var headCommitCount = 64
    package var headByteCount = Limits.headLag / 2
    package var headMicroseconds: Int64 = 1_000_000
    /// Ids are compared among so many last entries.
    package var idWindow: UInt64 = 10_000
    /// Signs what is recorded in its actor's name.
    package var signer: ActorSigner?
    /// How long to wait for the writer's lock, in microseconds.
    package var lockTimeoutMicroseconds: Int64 = 10_000_000

    /// Whoever gets the lock of a base that was moved away goes on at the one that stands at the path now. A long-lived process, which has
    /// sworn to what it opened, calls that drift.
    package var followsPath = true

    package init() {}
}
