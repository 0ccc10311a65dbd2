package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// One writer at a ledger: lock, catch up, commit, release.
///
/// A value for one thread at a time. Whatever it acknowledges is durable; after a failed sync it is latched and
/// refuses everything until a new session has opened the ledger anew (design §5, rule 8).
package struct WriterSession: Sendable {
    /// Replaced when the base was, while we waited for its lock.
    package private(set) var storage: any Storage
    let environment: Environment
    package internal(set) var settings: WriterSettings
    /// Where what was seen of the ledger is kept; nil for nowhere.
    let anchor: (any AnchorStore)?

    /// What is known while the lock is held; nil without it.
    var state: State?
    var latched: LedgerError?
    /// What was submitted and is not durable yet, and answers that nobody has taken.
    var inFlight: Flight?
    var settled: [Result<Answer, LedgerError>] = []
    /// The end of the ledger when this session last had the lock.
    private var seen: ChainTip?
    /// The HEAD that the anchor was kept of last.
    var anchored: Head?
    /// What a caller should be told that is no error, such as a cut tail.
    var notices: [String] = []

    /// A ledger under our lock, caught up: everything up to `tip` is durable.
    struct State: Sendable {
        var key: SealingKey
        var keyOath: Oath?
        /// With those that HEAD and the entries behind it may name.
        var keys: [KeyID: SealingKey]
        var head: Head
        var tip: ChainTip
        /// The active segment, its end of data and the size of its file.
        var segment: UInt64
        var file: any StorageFile
        var oath: Oath
        var end: Int
        var fileSize: Int
        /// Where the segment before ends: HEAD stays there while the active one is empty.
        var endBefore: Place?
        /// Who is enrolled behind the tip.
        var actors: ActorRoster
        /// The seq that the first segment is named after.
        var firstSeq: UInt64
        /// Filled when a draft with an id comes.
        var ids: IdWindow?
        /// Filled when a draft comes whose writer had not seen everything.
        var places: PlaceWindow?
        /// Since HEAD was replaced.
        var commitCount = 0
        var headTime: Int64
        /// Bytes behind HEAD, over all segments.
        var lag: Int
        /// HEAD is being rebuilt: nothing replaces it before the entry that records it is there.
        var isHeadMissing = false
        /// Of a replacement that failed, perhaps behind its renaming: it may be the one that stands there.
        var triedHead: Head?

        /// What was sealed is not durable: what is known of it is void, and with it whatever else is known of the last entries.
        mutating func forgetSealed() {
            ids = nil
            places = nil
        }
    }

    package init(
        _ storage: any Storage, _ environment: Environment, _ settings: WriterSettings = WriterSettings(),
        anchor: (any AnchorStore)? = nil
    ) {
        self.storage = storage
        self.environment = environment
        self.settings = settings
        self.anchor = anchor
    }

    package var isHolding: Bool { state != nil }
    /// The last entry, while the lock is held.
    package var tip: ChainTip? { state?.tip }
    package var head: Head? { state?.head }
    package var sealingKey: SealingKey? { state?.key }

    /// Takes the writer's lock and catches up with what others wrote; a crash's tail is cut, tampering raises the alert.
    ///
    /// - Parameter waiting: whether to wait for the lock, as the settings say, rather than throw `busy` at once.
    package mutating func acquire(waiting: Bool = true) throws(LedgerError) {
        try takeLock(waiting: waiting)
        do throws(LedgerError) {
            try open()
            try checkContinuation()
        } catch {
            // What opening had got so far is nothing to go on from without the lock.
            let error = raisingAlertOnDrift(error)
            state = nil
            storage.unlock(.writer)
            throw error
        }
    }

    /// The lock of the base that stands under its path now, and nothing opened.
    mutating func takeLock(waiting: Bool = true) throws(LedgerError) {
        precondition(state == nil, "the lock is held already")
        if let latched { throw latched }
        let deadline = environment.uptime() + (waiting ? settings.lockTimeoutMicroseconds : 0)
        try lock(until: deadline)
        while !planted(.lockUnrechecked), !(try isInPlace()) {
            guard settings.followsPath else { throw quarantineMovedBase() }
            storage.unlock(.writer)
            storage = try doing("cannot open the ledger") { () throws(StorageError) in try storage.reopened() }
            try lock(until: deadline)
        }
    }

    /// The alert is raised in the base that we have, wherever it lies now; what stands at its path is none of ours, and left alone.
    private mutating func quarantineMovedBase() -> LedgerError {
        let cause = "\(storage.basePath) is no longer the directory that was opened, which was moved away or removed"
        let isRaised = raiseAlertByHead(because: cause)
        storage.unlock(.writer)
        let error = LedgerError(
            .tampered,
            "\(cause); nothing more is written to it, "
                + (isRaised ? "the alert is raised there," : "its alert could not be raised,")
                + " and what stands at the path now was left alone",
            .drift)
        return latch(error)
    }

    /// What this session has seen is still there: nobody put another ledger, or an older state of this one, in its place.
    private mutating func checkContinuation() throws(LedgerError) {
        guard let tip = state?.tip else { return }
        if let seen, seen.ledger != tip.ledger || seen.seq > tip.seq, !planted(.continuationUnchecked) {
            throw LedgerError(
                .tampered,
                "the ledger at \(storage.basePath) was replaced meanwhile: seq \(seen.seq) of ledger \(seen.ledger) was its end, "
                    + "and now it is seq \(tip.seq) of ledger \(tip.ledger); nothing was written")
        }
        seen = tip
    }

    private func lock(until deadline: Int64) throws(LedgerError) {
        guard storage.user == storage.owner || planted(.ownerUnchecked) else {
            throw LedgerError(
                .refused,
                "the ledger \(storage.basePath) belongs to user \(storage.owner); only its owner writes, and we are user \(storage.user)"
            )
        }
        let lock = WriterLock(storage: storage, environment: environment)
        try lock.acquire(until: deadline, timeout: settings.lockTimeoutMicroseconds)
    }

    /// Whether the base whose lock we got is still where its path leads; only a holder calls that drift, who waited starts over.
    private func isInPlace() throws(LedgerError) -> Bool {
        do throws(StorageError) {
            try storage.checkBase()
            return true
        } catch {
            if error.kind == .drift { return false }
            storage.unlock(.writer)
            throw LedgerError(error, doing: "cannot open the ledger")
        }
    }

    /// Writes HEAD if it lags, and gives the lock back. A HEAD that could not be replaced lags, which harms nothing: it is a notice.
    package mutating func release() {
        guard state != nil else { return }
        precondition(inFlight == nil, "what was submitted is settled before the lock is given back")
        if latched == nil, let state, state.head.seq < state.tip.seq, !planted(.headForgotten) {
            do throws(LedgerError) {
                try writeHead()
            } catch {
                notices.append("HEAD was not replaced and lags: \(error)")
            }
        }
        // Only what HEAD vouches for: an anchor never leads the ledger.
        if latched == nil, let head = state?.head { keepAnchor(head) }
        seen = state?.tip
        state = nil
        storage.unlock(.writer)
    }

    /// The notices since the last call.
    package mutating func takeNotices() -> [String] {
        defer { notices = [] }
        return notices
    }

    /// Whether somebody waits for the lock.
    package func isWantedByOthers() -> Bool { (try? storage.gateIsTaken()) ?? true }

    mutating func latch(_ error: LedgerError) -> LedgerError {
        latched = error
        return error
    }
}
