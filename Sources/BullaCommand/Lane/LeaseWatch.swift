import Kernel
import Lanes
import Ledger
import PlantedDefects

/// Looks again and again whether a lease is current, without any lock, and knows until when it is if nothing can be read.
struct LeaseWatch {
    private let options: LedgerOptions
    private let right: LeaseRight
    private let environment: Environment
    private var fold: Fold<Lanes>
    /// On the boot's clock: when its time is over, unless a later beat is seen.
    private var end: Int64
    private(set) var lease: Lease
    /// On the boot's clock: what could not be folded anew is not tried again before.
    private var nextFolding: Int64 = .min

    /// - Throws: `refused` if it is not current now, `locked` in a locked house.
    init(_ options: LedgerOptions, _ right: LeaseRight, _ environment: Environment) throws(LedgerError) {
        self.options = options
        self.right = right
        self.environment = environment
        let storage = try options.storage()
        if try LedgerView(storage).isLocked, !planted(.guardInAlert) { throw LedgerError(locked: storage) }
        fold = try options.lanes()
        let now = Instant(environment)
        lease = try fold.state.currentLease(right, upTo: fold.seq, at: now)
        end = Self.end(of: lease, fold.state, at: now)
        try checkMargin(at: now)
    }

    /// A tenth of the lease's time before it ends, a second at most, the holder may not act any more: the command must be gone when others may come.
    private var margin: Int64 { min(1_000_000, lease.ttl / 10) }

    /// How long a command has between TERM and KILL, in microseconds: never until the lease ends.
    var politeness: Int64 { min(400_000, margin / 2) }

    /// When another must end the command if this process has not by then, which begins with the margin: KILL still comes before the lease's end.
    var deadline: GuardDeadline { GuardDeadline(time: end - margin / 2, politeness: politeness / 2) }

    /// How long until somebody must look again: no longer than the holder may act.
    func milliseconds(atMost limit: Int32) -> Int32 {
        let rest = (end - margin - Instant(environment).boot.microseconds) / 1000 + 1
        return Int32(min(Int64(limit), max(0, rest)))
    }

    /// Looks once more.
    ///
    /// - Parameter trouble: why the last beat failed, if it did.
    /// - Throws: why it is not current any more, or that the house is locked. What cannot be read is no reason before the lease's own end.
    mutating func look(unbeatenFor trouble: LedgerError? = nil) throws(LedgerError) {
        var stale, locked: LedgerError?
        do throws(LedgerError) {
            let storage = try options.storage()
            let view = try LedgerView(storage)
            if view.isLocked, !planted(.guardInAlert) { locked = LedgerError(locked: storage) }
            var fold = self.fold
            try fold.advance(in: view, environment)
            self.fold = fold
        } catch {
            if locked == nil { foldAnew() }
        }
        if let locked { throw locked }
        let now = Instant(environment)
        do throws(LedgerError) {
            lease = try fold.state.currentLease(right, upTo: fold.seq, at: now)
            end = Self.end(of: lease, fold.state, at: now)
        } catch {
            stale = error
        }
        if let stale { throw stale }
        try checkMargin(at: now, trouble)
    }

    /// The entry that the fold stands at may have left: for an archive, with a repair, or because a backup took the ledger's place.
    ///
    /// What cannot be folded now is tried again, but no long ledger keeps this process from everything else.
    private mutating func foldAnew() {
        let start = Instant(environment).boot.microseconds
        guard start >= nextFolding, !planted(.repairOverlooked) else { return }
        if let anew = try? options.lanes() {
            fold = anew
        } else {
            let end = Instant(environment).boot.microseconds
            nextFolding = end + 10 * (end - start)
        }
    }

    private static func end(of lease: Lease, _ lanes: Lanes, at now: Instant) -> Int64 {
        now.boot.microseconds + lease.rest(lanes.settings, at: now)
    }

    private func checkMargin(at now: Instant, _ trouble: LedgerError? = nil) throws(LedgerError) {
        guard now.boot.microseconds >= end - margin else { return }
        let why = trouble.map { "; the last beat failed: \($0.message)" } ?? ""
        throw LedgerError(.refused, "\(lease.named) is about to end, at \(lease.end(at: now)), and has not beaten\(why)")
    }
}
