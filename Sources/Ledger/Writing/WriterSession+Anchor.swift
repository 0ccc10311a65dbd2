import CanonicalJSON
import DurableFiles
package import LedgerFormat
import PlantedDefects

// The anchor outside the ledger's directory: compared before anything is written, kept when HEAD covers the tip.
extension WriterSession {
    /// Throws when the ledger stepped back, or is another history, and leaves everything as it was.
    mutating func compareWithAnchor(
        _ head: Head, _ keyring: Keyring, firstSeq: UInt64, lastSeq: UInt64
    ) throws(LedgerError) {
        guard let anchor, !planted(.anchorUncompared) else { return }
        let verdict = try anchorVerdict(anchor, head, keyring, firstSeq: firstSeq, lastSeq: lastSeq)
        guard let message = verdict.message(ledger: storage.basePath) else { return }
        if case .alarm = verdict { throw LedgerError(.tampered, message + "; nothing was written", .anchor) }
        // Said once: what is kept at release lies behind the archive.
        if case .archived = verdict {
            return notify(message + "; what this ledger holds now is what counts as seen from here on")
        }
        notify(message)
    }

    /// Keeps what HEAD vouches for now.
    mutating func keepAnchor(_ head: Head) {
        guard let anchor, anchored != head else { return }
        let sighting = Anchor.Sighting(head, at: anchor.here, environment.now())
        if let failure = anchor.update(head.ledger, { $0.note(sighting) }) { notify(failure) } else { anchored = head }
    }

    /// Keeps what HEAD vouches for behind a repair, unless another history was seen here: that only a user's word drops, and until
    /// then nobody writes.
    ///
    /// - Returns: what the anchor says against the ledger as it is now; nil for nothing.
    mutating func keepAnchor(behindRepairWith keyring: Keyring) -> String? {
        keepAnchor(keyring) { $0.isHere && $0.kind == .otherHistory }
    }

    /// The same behind a release, which mends nothing: a step back too is the user's to accept.
    mutating func keepAnchor(behindReleaseWith keyring: Keyring) -> String? { keepAnchor(keyring) { $0.isHere } }

    /// - Parameter weighs: whether an objection keeps the anchor as it is.
    private mutating func keepAnchor(_ keyring: Keyring, unless weighs: (AnchorVerdict.Objection) -> Bool) -> String? {
        guard let anchor, let state else { return nil }
        let verdict: AnchorVerdict
        do throws(LedgerError) {
            let firstSeq = try doing("cannot read the ledger") { () throws(StorageError) in
                try SegmentReader.segments(in: storage).first ?? 1
            }
            verdict = try anchorVerdict(anchor, state.head, keyring, firstSeq: firstSeq, lastSeq: state.tip.seq)
        } catch {
            notify("the anchor could not be compared, and stays as it was: \(error.message)")
            return nil
        }
        guard case .alarm(let objections) = verdict else {
            keepAnchor(state.head)
            return nil
        }
        if !objections.contains(where: weighs) || planted(.otherHistoryForgotten) { keepAnchor(state.head) }
        return verdict.message(ledger: storage.basePath)
    }

    private func anchorVerdict(
        _ anchor: any AnchorStore, _ head: Head, _ keyring: Keyring, firstSeq: UInt64, lastSeq: UInt64
    ) throws(LedgerError) -> AnchorVerdict {
        let finding = anchor.read(head.ledger)
        return try AnchorVerdict(finding, at: anchor.here, firstSeq: firstSeq, lastSeq: lastSeq) { seq throws(LedgerError) in
            if seq == head.seq { return head.tip }
            guard seq < firstSeq else {
                if let found = try hash(of: seq, head, keyring) { return found }
                // A repair may have taken it over. To look there for what others saw would cost every writer too much.
                guard seq == finding.seqSeen(at: anchor.here) else { return nil }
                return try EntryReader(LedgerView(storage), environment).hash(of: seq)
            }
            // Damage there is found by who verifies it.
            return try? EntryReader(LedgerView(storage), environment).hash(ofArchived: seq)
        }
    }

    /// The hash of an entry, whose seal is checked.
    private func hash(of seq: UInt64, _ head: Head, _ keyring: Keyring) throws(LedgerError) -> Digest? {
        var found: Digest?
        let end = try doing("cannot read the ledger") { () throws(StorageError) -> SegmentReader.End in
            var reader = try SegmentReader(storage)
            guard let start = try reader.locate(seq) else {
                return .failed(ChainFailure(.segmentMissing, at: Place(segment: 1, offset: 0, seq: seq)))
            }
            // The place may lie before a rotation: whatever key it names, its links lead on.
            var verifier = ChainVerifier(at: start, of: head.ledger, key: nil, keys: keyring.keys)
            return try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    if frame.seq == seq { found = frame.hash(in: bytes) }
                    return frame.seq < seq
                })
        }
        if case .failed(let failure) = end { throw tampered(failure) }
        return found
    }

    /// Says something once, until it is taken.
    mutating func notify(_ notice: String) {
        if !notices.contains(notice) { notices.append(notice) }
    }
}

extension WriterSession {
    /// What the user accepted.
    package struct Acceptance: Sendable {
        package var objections: [AnchorVerdict.Objection]
        package var receipts: [Receipt]
        /// Why the anchor could not be kept.
        package var failure: String?
    }

    /// Records that what the anchor calls a step back or another history is meant, and makes the anchor anew; nil if it objects to nothing.
    ///
    /// Requires the lock, taken without an anchor. A crash between entry and anchor leaves the alarm, and accepting is repeated.
    package mutating func accept(_ store: any AnchorStore, reason: String) throws(LedgerError) -> Acceptance? {
        guard let state else { preconditionFailure("only the holder of the writer's lock accepts") }
        let firstSeq = try doing("cannot read the ledger") { () throws(StorageError) in
            try SegmentReader.segments(in: storage).first ?? 1
        }
        let keyring = try Keyring(state.key.id, in: storage)
        let verdict = try anchorVerdict(store, state.head, keyring, firstSeq: firstSeq, lastSeq: state.tip.seq)
        guard case .alarm(let objections) = verdict else { return nil }
        var drafts: [Draft] = []
        for objection in objections { drafts.append(try Drafts.anchorAccepted(objection.sighting, state.tip, reason: reason)) }
        let answer = try commit([drafts])[0].get()
        do throws(LedgerError) {
            try writeHead()
        } catch {
            throw LedgerError(
                error.code, "the step back is recorded, but the anchor was not replaced; accept it once more: \(error.message)",
                at: error.place)
        }
        guard let head = self.state?.head else { preconditionFailure("the lock is held") }
        let sighting = Anchor.Sighting(head, at: store.here, environment.now())
        let failure = store.update(head.ledger) { $0.accept(sighting, forgetting: objections.map(\.sighting)) }
        return Acceptance(objections: objections, receipts: answer.receipts, failure: failure)
    }
}

extension Drafts {
    /// - Parameter reason: the user's, which may be refused.
    fileprivate static func anchorAccepted(
        _ sighting: Anchor.Sighting, _ tip: ChainTip, reason: String
    ) throws(LedgerError) -> Draft {
        var from = sighting.path.members()
        from["seq"] = .number(Double(sighting.seq))
        from["hash"] = .string(sighting.hash.description)
        from["time"] = .string(sighting.time.description)
        var body: JSONObject = [
            "from": .object(from), "to": ["seq": .number(Double(tip.seq)), "hash": .string(tip.hash.description)],
        ]
        Lesson.steppedBack(reason).add(to: &body)
        return try refusable("anchor.accepted", .sovereignty, reason, .object(body))
    }

    /// An entry of the house with words of the user.
    static func refusable(
        _ action: String, _ pillar: Justification.Pillar, _ reason: String, _ body: JSON
    ) throws(LedgerError) -> Draft {
        do throws(DraftError) {
            return try Draft(action: action, actor: actor, justification: Justification(pillar, reason), body: body)
        } catch {
            throw LedgerError(.usage, error.description)
        }
    }
}
