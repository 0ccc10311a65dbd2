import Kernel
import Lanes
import Ledger

/// Looks again and again whether a lease is current, without any lock, and knows until when it is if nothing can be read.
struct LeaseWatch {
    private let options: LedgerOptions
    private let right: LeaseRight
    private let environment: Environment
    private var fold: Fold<Lanes>
    /// On the boot's clock: from then on the holder may not act, unless a later beat is seen.
    private var end: Int64
    private(set) var lease: Lease

    /// - Throws: `refused` if it is not current now.
    init(_ options: LedgerOptions, _ right: LeaseRight, _ environment: Environment) throws(LedgerError) {
        self.options = options
        self.right = right
        self.environment = environment
        fold = try options.lanes()
        let now = Instant(environment)
        lease = try fold.state.currentLease(right, upTo: fold.seq, at: now)
        end = Self.end(of: lease, fold.state, at: now)
        if now.boot.microseconds >= end { throw Self.overdue(lease, at: now) }
    }

    /// How long until somebody must look again: no longer than the holder may act.
    func milliseconds(atMost limit: Int32) -> Int32 {
        let rest = (end - Instant(environment).boot.microseconds) / 1000 + 1
        return Int32(min(Int64(limit), max(0, rest)))
    }

    /// Looks once more.
    ///
    /// - Throws: why it is not current any more. What cannot be read is no reason before the lease's own end.
    mutating func look() throws(LedgerError) {
        var stale: LedgerError?
        do throws(LedgerError) {
            var fold = fold
            try fold.advance(in: try LedgerView(try options.storage()), environment)
            self.fold = fold
        } catch {}
        let now = Instant(environment)
        do throws(LedgerError) {
            lease = try fold.state.currentLease(right, upTo: fold.seq, at: now)
            end = Self.end(of: lease, fold.state, at: now)
        } catch {
            stale = error
        }
        if let stale { throw stale }
        if now.boot.microseconds >= end { throw Self.overdue(lease, at: now) }
    }

    /// A tenth of the lease's time before it ends, a second at most: the command must be gone when others may come.
    private static func end(of lease: Lease, _ lanes: Lanes, at now: Instant) -> Int64 {
        now.boot.microseconds + lease.rest(lanes.settings, at: now) - min(1_000_000, lease.ttl / 10)
    }

    private static func overdue(_ lease: Lease, at now: Instant) -> LedgerError {
        LedgerError(.refused, "\(lease.named) is about to end, at \(lease.end(at: now)), and has not beaten")
    }
}
