package import LedgerFormat
import DurableFiles
import PlantedDefects

// Sealing and acknowledging: nothing is answered before it is durable.
extension WriterSession {
    /// What a decision's drafts were answered with.
    package struct Answer: Sendable, Equatable {
        /// One a draft, in their order.
        package var receipts: [Receipt]
        /// The `id` was recorded before, with the same content: these are the receipts of then.
        package var isRepetition = false
        /// What the drafts do not have, because a higher class had said something else: they are recorded, and it does not count.
        package var lost: [Collision] = []
        /// What they took from a lower class.
        package var overrode: [Collision] = []

        package init(receipts: [Receipt], isRepetition: Bool = false, lost: [Collision] = [], overrode: [Collision] = []) {
            self.receipts = receipts
            self.isRepetition = isRepetition
            self.lost = lost
            self.overrode = overrode
        }
    }

    /// Records decisions; the drafts of one lie together and are durable together or not at all.
    ///
    /// Requires the lock. One answer a decision, in their order: what one is refused for does not touch the others.
    package mutating func commit(_ decisions: [[Draft]]) -> [Result<Answer, LedgerError>] {
        commit(decisions, sequels: [])
    }

    /// The same for several who ask at once, each for a run of decisions: in a run, what follows a decision that fails is not recorded.
    package mutating func commit(runs: [[[Draft]]]) -> [[Result<Answer, LedgerError>]] {
        var decisions: [[Draft]] = []
        var sequels: Set<Int> = []
        for run in runs {
            for index in run.indices.dropFirst() { sequels.insert(decisions.count + index) }
            decisions += run
        }
        var answers = commit(decisions, sequels: sequels)[...]
        return runs.map { run in
            defer { answers = answers.dropFirst(run.count) }
            return Array(answers.prefix(run.count))
        }
    }

    /// - Parameter sequels: the places of decisions that are not recorded when the one before fails.
    private mutating func commit(_ decisions: [[Draft]], sequels: Set<Int>) -> [Result<Answer, LedgerError>] {
        precondition(inFlight == nil, "what was submitted is settled before anything else is committed")
        var batch = seal(decisions, stopsAtFailure: false, sequels: sequels)
        flush(&batch)
        return batch.answers
    }

    private mutating func seal(_ decisions: [[Draft]], stopsAtFailure: Bool, sequels: Set<Int> = []) -> Batch {
        guard let tip = state?.tip else { preconditionFailure("only the holder of the writer's lock commits") }
        var batch = Batch(count: decisions.count, stopsAtFailure: stopsAtFailure)
        let asksForSignatures = !actors.isEmpty || settings.signer != nil
        for (index, drafts) in decisions.enumerated() {
            // It keeps the answer that it was not reached.
            if sequels.contains(index), case .failure = batch.answers[index - 1] { continue }
            if let latched {
                batch.refuse(index, latched)
                continue
            }
            do throws(LedgerError) {
                try refuseBorrowedHouseName(drafts)
                let isAsked = asksForSignatures || drafts.contains { $0.isSigned }
                let drafts = isAsked ? try authenticated(drafts, behind: batch.writer?.tip ?? inFlight?.tip ?? tip) : drafts
                if let earlier = try repetition(of: drafts, &batch) {
                    batch.add(.success(earlier), at: index)
                } else {
                    try refuseUnjustified(drafts)
                    try seal(drafts, try resolution(of: drafts, &batch), index, &batch)
                }
            } catch {
                batch.refuse(index, error)
                if stopsAtFailure { break }
            }
        }
        return batch
    }

    /// One entry of the house.
    mutating func commitOwn(_ draft: Draft) throws(LedgerError) {
        _ = try commit([[draft]])[0].get()
    }

    private mutating func seal(
        _ own: [Draft], _ found: ConflictManager.Resolution, _ index: Int, _ batch: inout Batch
    ) throws(LedgerError) {
        var resolution = found
        var drafts = resolution.isClean ? own : own + [Drafts.conflict(resolution)]
        var start = try openBlock(&batch)
        var receipts = try sealed(drafts, &batch, start)
        if batch.byteCount > Limits.commit, start.mark.byteCount > 0, !planted(.commitUnbounded) {
            batch.writer?.rewind(to: start.mark)
            flush(&batch)
            if let failure = latched ?? (batch.stopsAtFailure ? batch.failure : nil) { throw failure }
            // A block that failed took the known ids along.
            if drafts.contains(where: { $0.id != nil }) { try loadIds(&batch) }
            if own.contains(where: \.namesPlaces) {
                resolution = try self.resolution(of: own, &batch)
                drafts = resolution.isClean ? own : own + [Drafts.conflict(resolution)]
            }
            start = try openBlock(&batch)
            receipts = try sealed(drafts, &batch, start)
        }
        if batch.byteCount > Limits.commit {
            let byteCount = batch.byteCount - start.mark.byteCount
            batch.writer?.rewind(to: start.mark)
            throw LedgerError(
                .usage, "the decision has \(byteCount) bytes; at most \(Limits.commit) become durable together")
        }
        for (draft, receipt) in zip(drafts, receipts) {
            if let id = draft.id {
                state?.ids?.insert(
                    actor: draft.actor, id: id, .init(receipt: receipt, content: .init(draft), lost: resolution.lost))
            }
            note(draft, receipt.seq, &batch)
        }
        batch.add(
            .success(
                Answer(receipts: Array(receipts.prefix(own.count)), lost: resolution.lost, overrode: resolution.overrode)),
            at: index)
    }

    private func sealed(_ drafts: [Draft], _ batch: inout Batch, _ start: Start) throws(LedgerError) -> [Receipt] {
        if drafts.contains(where: { $0.isSigned }), let tip = batch.writer?.tip {
            // What the house had to say first may have made a base too old.
            do throws(LedgerError) { try refuseUnauthenticated(drafts, behind: tip) } catch {
                batch.writer?.rewind(to: start.mark)
                throw error
            }
        }
        var receipts: [Receipt] = []
        receipts.reserveCapacity(drafts.count)
        for (index, draft) in drafts.enumerated() {
            do throws(DraftError) {
                let part = drafts.count > 1 ? Part(index: index + 1, count: drafts.count) : nil
                // In place: a second owner of the block would make each append copy it.
                guard let receipt = try batch.writer?.append(draft, at: start.now, part: part) else {
                    preconditionFailure("a block is open")
                }
                receipts.append(receipt)
            } catch {
                batch.writer?.rewind(to: start.mark)
                throw LedgerError(.usage, error.description)
            }
        }
        return receipts
    }

    /// Where in a block a decision starts, and when: one look at the clock, so that no step back goes unseen.
    private struct Start {
        var mark: FrameWriter.Mark
        var now: Timestamp
    }

    /// Opens a block if none is, and records a clock that stepped back since the last entry.
    private mutating func openBlock(_ batch: inout Batch) throws(LedgerError) -> Start {
        if batch.writer == nil {
            try stateActorsIfDue()
            guard let state else { preconditionFailure("the lock is held") }
            batch.writer = FrameWriter(after: inFlight?.tip ?? state.tip, synced: state.tip.seq, key: state.key)
        }
        let now = environment.now()
        if let last = batch.writer?.tip.time, now < last, !planted(.clockStepUnrecorded) {
            do throws(DraftError) {
                try batch.writer?.append(Drafts.clockSteppedBack(from: last, to: now), at: now)
            } catch {
                preconditionFailure("the ledger's own draft is refused: \(error)")
            }
        }
        guard let mark = batch.writer?.mark else { preconditionFailure("a block is open") }
        return Start(mark: mark, now: now)
    }

    /// Makes durable what is sealed; if that fails, every answer that waited for it becomes the failure.
    private mutating func flush(_ batch: inout Batch) {
        do throws(LedgerError) {
            try land()
            if let writer = batch.writer, !writer.block.isEmpty { try append(writer.block.span, tip: writer.tip) }
        } catch {
            state?.forgetSealed()
            batch.fail(error)
        }
        batch.close()
    }
}

// Submitting: the next decisions are sealed while the disk is busy with those before.
extension WriterSession {
    /// Decisions whose block is on its way to the disk.
    struct Flight: Sendable {
        var batch: Batch
        var append: PendingAppend
        var byteCount: Int
        var tip: ChainTip
    }

    /// Hands decisions to the disk and returns, in their order, the answers of submitted decisions that are settled by now.
    ///
    /// Requires the lock. What follows a decision that fails is not recorded. Entries are sealed behind others that are not
    /// durable yet, and never reach the disk if those fail.
    package mutating func submit(_ decisions: [[Draft]]) -> [Result<Answer, LedgerError>] {
        var batch = seal(decisions, stopsAtFailure: true)
        do throws(LedgerError) {
            try land()
            replaceHeadIfDue()
            // A HEAD that is not ours any more is learnt of there.
            if let latched { throw latched }
            if let writer = batch.writer, !writer.block.isEmpty {
                let (file, end) = try prepare(for: writer.block.count)
                if planted(.submittedAnsweredEarly) { settled += batch.answers }
                inFlight = Flight(
                    batch: planted(.submittedAnsweredEarly) ? Batch(count: 0, stopsAtFailure: true) : batch,
                    append: PendingAppend(writer.block, at: end, in: file), byteCount: writer.block.count,
                    tip: writer.tip)
            } else {
                settled += batch.answers
            }
        } catch {
            state?.forgetSealed()
            batch.fail(error)
            settled += batch.answers
        }
        // Who has to stop must know it before the next call.
        if batch.failure != nil { return settle() }
        defer { settled = [] }
        return settled
    }

    /// Waits for the block that is on its way to the disk; why it is not durable, if it is not.
    mutating func landed() -> LedgerError? {
        do throws(LedgerError) {
            try land()
            return nil
        } catch {
            return error
        }
    }

    /// Waits for the disk, and returns the answers that are still owed.
    package mutating func settle() -> [Result<Answer, LedgerError>] {
        // A failure is in the answers.
        try? land()
        defer { settled = [] }
        return settled
    }

    /// Waits for the block that is on its way to the disk; its answers are owed then.
    ///
    /// - Throws: if it did not become durable: whatever was sealed behind it is void.
    private mutating func land() throws(LedgerError) {
        guard var flight = inFlight else { return }
        inFlight = nil
        var failure: AppendFailure?
        do throws(AppendFailure) { try flight.append.wait() } catch { failure = error }
        do throws(LedgerError) {
            try conclude(failure, byteCount: flight.byteCount, tip: flight.tip)
        } catch {
            state?.forgetSealed()
            flight.batch.fail(error)
            settled += flight.batch.answers
            if planted(.followersOfFailureWritten) { return }
            throw error
        }
        settled += flight.batch.answers
    }
}

extension WriterSession {
    /// The answer of then, if the draft's `id` is among the last entries; a conflict if it was used for something else.
    private mutating func repetition(of drafts: [Draft], _ batch: inout Batch) throws(LedgerError) -> Answer? {
        guard drafts.contains(where: { $0.id != nil }), !planted(.idsForgotten) else { return nil }
        try refuseDoubleIds(in: drafts)
        try loadIds(&batch)
        var receipts: [Receipt] = []
        var lost: [Collision] = []
        for draft in drafts {
            guard let id = draft.id, let known = state?.ids?.record(actor: draft.actor, id: id) else { continue }
            var content = IdWindow.Content(draft)
            if planted(.idPlacesUncompared) { content.places = known.content.places }
            guard known.content == content || planted(.idContentUncompared) else {
                throw LedgerError(
                    .conflict,
                    "\(draft.actor) used the id \"\(id)\" before for other content: seq \(known.receipt.seq) has \(known.content), and now it is \(content)"
                )
            }
            receipts.append(known.receipt)
            // Each draft of the decision knows of all that was lost.
            lost = known.lost
        }
        if receipts.isEmpty { return nil }
        guard receipts.count == drafts.count else {
            throw LedgerError(.conflict, "some drafts of the decision were recorded before and others were not")
        }
        return Answer(receipts: receipts, isRepetition: true, lost: lost)
    }

    /// A decision with one id twice could never be repeated.
    private func refuseDoubleIds(in drafts: [Draft]) throws(LedgerError) {
        var seen: Set<[UInt8]> = []
        for draft in drafts {
            guard let id = draft.id else { continue }
            // An actor holds no NUL; texts are compared by their bytes.
            guard seen.insert(Array("\(draft.actor)\0\(id)".utf8)).inserted || planted(.doubleIdsAccepted) else {
                throw LedgerError(.conflict, "\(draft.actor) uses the id \"\(id)\" twice in one decision")
            }
        }
    }

    private mutating func loadIds(_ batch: inout Batch) throws(LedgerError) {
        guard state?.ids == nil else { return }
        var ids = IdWindow(size: settings.idWindow)
        try review(lastCount: settings.idWindow, &batch) { frame, bytes in
            if frame.context.count > 2, !planted(.idsOfThisProcessOnly) {
                ids.insert(Entry(frame, of: bytes))
                ids.noteLosses(frame, bytes)
            }
            if let readmission = Readmission(frame, of: bytes) {
                ids.insert(readmission, at: frame.seq)
                ids.noteLosses(readmission, at: frame.seq)
            }
        }
        state?.ids = ids
    }

    /// Shows the last entries on the disk, verified; what was submitted is there then.
    ///
    /// - Parameter count: fewer, if the ledger has fewer, or earlier ones were archived: what was archived is forgotten.
    mutating func review(
        lastCount count: UInt64, _ batch: inout Batch, _ visit: (FrameView, Span<UInt8>) -> Void
    ) throws(LedgerError) {
        do throws(LedgerError) {
            try land()
        } catch {
            // What the batch has sealed so far would follow entries that are not there.
            batch.fail(error)
            throw error
        }
        guard let current = state else { return }
        let end: SegmentReader.End
        do throws(LedgerError) {
            end = try scan(current, lastCount: count, visit)
        } catch {
            guard error.cause == .drift else { throw error }
            throw latch(raisingAlertOnDrift(error))
        }
        // Who meets damage does not go on: ids behind it would count as new.
        if case .failed(let failure) = end, !planted(.idsBehindDamageForgotten) {
            state?.forgetSealed()
            let error = raisingAlert(current.head, current.key, failure)
            batch.fail(error)
            throw latch(error)
        }
    }

    private func scan(
        _ current: State, lastCount count: UInt64, _ visit: (FrameView, Span<UInt8>) -> Void
    ) throws(LedgerError) -> SegmentReader.End {
        try doing("cannot read the last entries") { () throws(StorageError) -> SegmentReader.End in
            var reader = try SegmentReader(storage)
            let oldest = reader.segments.first ?? 1
            let first = max(oldest, current.tip.seq > count ? current.tip.seq - count + 1 : 1)
            guard let start = try reader.locate(first) else {
                return .failed(ChainFailure(.segmentMissing, at: Place(segment: 1, offset: 0, seq: first)))
            }
            // Who reads from an archive's end on knows all that could explain it.
            let isBase = oldest > 1 && first == oldest
            let keys = [current.key.id: current.key]
            var verifier =
                isBase ? ChainVerifier(keys: keys) : ChainVerifier(at: start, of: current.tip.ledger, key: nil, keys: keys)
            let end = try reader.scan(
                &verifier, upTo: Place(segment: current.segment, offset: current.end, seq: 0),
                visit: { frame, bytes in
                    if frame.seq >= first { visit(frame, bytes) }
                    return true
                })
            // The links prove what was sealed with older keys, if they lead to our tip.
            guard end == .complete else { return end }
            if verifier.tip?.hash != current.tip.hash { return .failed(verifier.failure(.link)) }
            if !verifier.isFounded {
                return .failed(ChainFailure(.segmentName(found: oldest), at: Place(segment: 1, offset: 0, seq: 1)))
            }
            return end
        }
    }
}

extension IdWindow.Content: CustomStringConvertible {
    var description: String {
        let body = String(decoding: body.prefix(200), as: UTF8.self) + (body.count > 200 ? "…" : "")
        return "\(action) \(body)\(places) (\(justification.pillar.rawValue): \(justification.reason))"
    }
}
