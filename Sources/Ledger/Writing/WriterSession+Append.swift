import DurableFiles
import LedgerFormat
import PlantedDefects

// One block to the disk: the only way in which a segment grows.
extension WriterSession {
    /// Writes a block that continues the chain up to `tip`, and makes it durable.
    ///
    /// A crash before the sync's end leaves a tail that was never acknowledged; design §3 says what becomes of it.
    mutating func append(_ block: Span<UInt8>, tip: ChainTip) throws(LedgerError) {
        let (file, end) = try prepare(for: block.count)
        #if PlantedDefects
            if planted(.headLeads) { vouchAhead(end + block.count, tip) }
            if planted(.anchorLeads), let segment = state?.segment {
                keepAnchor(Head(alert: false, end: end + block.count, segment: segment, tip: tip))
            }
        #endif
        var failure: AppendFailure?
        do throws(AppendFailure) { try file.append(block, at: end) } catch { failure = error }
        try conclude(failure, byteCount: block.count, tip: tip)
    }

    /// Before a block: everything is still what it was, and there is room for it in the segment that it will stand in.
    mutating func prepare(for byteCount: Int) throws(LedgerError) -> (file: any StorageFile, end: Int) {
        guard let state else { preconditionFailure("only the holder of the writer's lock appends") }
        if !planted(.oathsUncheckedBefore) { try checkOaths(state) }
        if !state.isHeadMissing {
            if state.lag + byteCount > Limits.headLag, !planted(.headLagUnbounded) { try writeHead() }
            // Where somebody is enrolled, the next segment begins before a block is sealed, which may not stand first in it.
            let isOverfull = state.end > 0 && state.end + byteCount > settings.segmentByteCount
            if isOverfull, state.actors.isEmpty || planted(.rosterForgotten) { try roll() }
        }
        preallocate(for: byteCount)
        guard let ready = self.state else { preconditionFailure("the lock is held") }
        return (ready.file, ready.end)
    }

    /// Behind a block: it counts only if it is durable and everything is still what it was.
    mutating func conclude(_ failure: AppendFailure?, byteCount: Int, tip: ChainTip) throws(LedgerError) {
        guard let state else { preconditionFailure("the lock is held") }
        switch planted(.failedSyncAcknowledged) ? nil : failure {
        case .write(let error): throw restoring(LedgerError(error, doing: "nothing was recorded"))
        case .synchronize(let error):
            if planted(.failedSyncUnlatched) { throw LedgerError(error, doing: "nothing was recorded") }
            throw latch(
                LedgerError(
                    .inputOutput,
                    "\(error); whether the entries up to seq \(tip.seq) are durable is unknown: open the ledger again, and repeat with the same id"
                ))
        case nil: if !planted(.oathsUncheckedAfter) { try checkOaths(state) }
        }
        let end = state.end + byteCount
        self.state?.end = end
        self.state?.fileSize = max(state.fileSize, end)
        self.state?.lag += byteCount
        self.state?.tip = tip
        self.state?.commitCount += 1
        self.state?.ids?.advance(to: tip.seq)
        self.state?.places?.advance(to: tip.seq)
    }

    /// Replaces HEAD if it is due: a process that keeps the lock calls this after each commit.
    ///
    /// A HEAD that cannot be replaced lags, which harms nothing until it would lag too far; then commits are refused.
    package mutating func replaceHeadIfDue() {
        guard latched == nil, isHeadDue else { return }
        do throws(LedgerError) { try writeHead() } catch { notices.append("HEAD was not replaced and lags: \(error)") }
    }

    private var isHeadDue: Bool {
        guard let state, state.head.seq < state.tip.seq else { return false }
        return state.commitCount >= settings.headCommitCount || state.lag >= settings.headByteCount
            || environment.uptime() - state.headTime >= settings.headMicroseconds
    }

    /// Fills the file with NULs ahead of the data, so that most syncs find its size unchanged.
    ///
    /// For a large block that costs more than it saves. A crash leaves more or fewer NULs behind the data, which mean
    /// nothing. Where there is no room, it is done without.
    private mutating func preallocate(for byteCount: Int) {
        guard let state, settings.preallocationByteCountMax > 0, byteCount <= Self.preallocatedBlockByteCountMax else { return }
        let end = state.end + byteCount
        guard end > state.fileSize else { return }
        let page = 4096
        let ahead = min(max(state.end / 4, 16 * page), settings.preallocationByteCountMax)
        let target = (min(end + ahead, max(settings.segmentByteCount, end)) + page - 1) / page * page
        let zeros = [UInt8](repeating: 0, count: target - state.fileSize)
        do throws(StorageError) {
            try state.file.write(zeros.span, at: state.fileSize)
            self.state?.fileSize = target
        } catch {
            try? state.file.truncate(to: state.fileSize)
        }
    }

    private static let preallocatedBlockByteCountMax = 64 << 10

    /// After a failed write: the length is restored, and if that fails too the session is latched.
    private mutating func restoring(_ error: LedgerError) -> LedgerError {
        guard let state else { preconditionFailure("the lock is held") }
        do throws(StorageError) {
            // Synced: were the next block torn, what is left of this one would not look like a crash.
            if planted(.failedWriteLeft) { return error }
            try state.file.cut(to: state.end)
            self.state?.fileSize = state.end
            return error
        } catch let second {
            return latch(LedgerError(.inputOutput, "\(error.message); and the length could not be restored: \(second)"))
        }
    }

    /// Keys, the active segment and the base are still what they were, or everything stops here (OATH).
    func driftOf(_ state: State) -> StorageError? {
        do throws(StorageError) {
            try storage.checkBase()
            try state.oath.check(in: storage)
            try state.keyOath?.check(in: storage)
            return nil
        } catch {
            return error
        }
    }

    private mutating func checkOaths(_ state: State) throws(LedgerError) {
        guard let drift = driftOf(state) else { return }
        switch drift.kind {
        case .drift, .refused:
            if let key = state.keys[state.head.key] { raiseAlert(state.head, key, because: "\(drift)") }
            throw latch(
                LedgerError(
                    .tampered,
                    "\(drift); the ledger is in quarantine: nothing more is written or acknowledged, and the alert is raised",
                    .drift))
        case .system, .crashed:
            throw latch(LedgerError(drift, doing: "cannot tell whether the ledger is still the one that was opened"))
        }
    }

    /// Lets HEAD vouch for everything up to the tip, for who keeps something that must not lead it.
    package mutating func vouch() throws(LedgerError) {
        if let latched { throw latched }
        if let state, state.head.seq < state.tip.seq { try writeHead() }
    }

    /// Replaces HEAD by one that vouches for everything up to the tip.
    mutating func writeHead() throws(LedgerError) { try writeHead(replacing: state?.head) }

    /// - Parameters:
    ///   - expected: the HEAD that must be there; nil where there must be none.
    ///   - alert: whether the new one is in alert; as the one before by default.
    mutating func writeHead(replacing expected: Head?, alert: Bool? = nil) throws(LedgerError) {
        guard var state else { preconditionFailure("only the holder of the writer's lock writes HEAD") }
        // An empty segment has no frame that HEAD could vouch for: the last one ends the segment before.
        let end = state.end > 0 ? state.end : state.endBefore?.offset ?? 0
        let segment = state.end > 0 ? state.segment : state.endBefore?.segment ?? state.segment
        let head = Head(alert: alert ?? state.head.alert, end: end, segment: segment, tip: state.tip)
        precondition(head.seq >= state.head.seq, "HEAD never steps back")
        precondition(head.end > 0, "HEAD ends behind a frame")
        let bytes = head.sealed(with: state.key)
        do throws(StorageError) {
            let found = HeadFinding(try HeadFinding.bytes(in: storage), keys: state.keys).head
            guard found == expected || found != nil && found == state.triedHead || planted(.foreignHeadOverwritten) else {
                // What is no valid HEAD locks the house as it stands.
                let drift = StorageError(.drift, "replace", "\(storage.basePath)/HEAD")
                if let found, let key = state.keys[found.key] { raiseAlert(found, key, because: "\(drift)") }
                throw drift
            }
            if let found { self.state?.head = found }
            self.state?.triedHead = head
            try storage.replace(Layout.head, bytes.span)
        } catch {
            let failure = LedgerError(error, doing: "cannot replace HEAD")
            if case .system = error.kind { throw failure }
            throw latch(failure)
        }
        state.head = head
        state.triedHead = nil
        state.commitCount = 0
        state.lag = 0
        state.headTime = environment.uptime()
        self.state = state
    }

    /// Begins the next segment.
    ///
    /// The old one is cut to its data and synced, HEAD vouches for all of it, then the new file is made. A crash after any step
    /// leaves a legal ledger: an old segment with or without NULs, HEAD old or new, no next segment or an empty one.
    mutating func roll() throws(LedgerError) {
        guard let old = state else { preconditionFailure("only the holder of the writer's lock rolls") }
        try doing("cannot close the segment") { () throws(StorageError) in
            if !planted(.rolledSegmentUncut) { try old.file.truncate(to: old.end) }
        }
        state?.fileSize = old.end
        do throws(StorageError) {
            if !planted(.rolledSegmentUnsynced) { try old.file.synchronize() }
        } catch {
            throw latch(LedgerError(error, doing: "cannot close the segment"))
        }
        if !planted(.rolledWithoutHead) { try writeHead() }
        let path = SegmentReader.path(ofSegment: old.tip.seq + 1)
        do throws(StorageError) {
            try storage.create(path, [UInt8]().span)
            let file = try storage.open(path, .readWrite)
            state?.oath = try Oath(file)
            state?.file = file
        } catch {
            let failure = LedgerError(error, doing: "cannot begin a segment")
            // One that may be there already must be the next one: nothing goes into the old one any more.
            throw isAbsent(path) || planted(.begunSegmentUnlatched) ? failure : latch(failure)
        }
        state?.segment = old.tip.seq + 1
        state?.endBefore = Place(segment: old.segment, offset: old.end, seq: old.tip.seq)
        state?.end = 0
        state?.fileSize = 0
    }

    private func isAbsent(_ path: StoragePath) -> Bool {
        do throws(StorageError) { return try storage.status(of: path) == nil } catch { return false }
    }
}

#if PlantedDefects
    extension WriterSession {
        /// What `headLeads` does wrong.
        private mutating func vouchAhead(_ end: Int, _ tip: ChainTip) {
            guard let state else { return }
            let head = Head(alert: state.head.alert, end: end, segment: state.segment, tip: tip)
            let bytes = head.sealed(with: state.key)
            try? storage.replace(Layout.head, bytes.span)
            self.state?.head = head
        }
    }
#endif
