package import DurableFiles
import LedgerFormat
import PlantedDefects

// What opening finds, and does: the table of design §3. Called under the writer's lock.
extension WriterSession {
    mutating func open() throws(LedgerError) {
        var reader = try doing("cannot open the ledger") { () throws(StorageError) in try SegmentReader(storage) }
        let bytes = try doing("cannot open the ledger") { () throws(StorageError) in try HeadFinding.bytes(in: storage) }
        switch HeadFinding(bytes, keys: [:]) {
        case .faulty(.missing): try rebuildHead(&reader)
        case .faulty(let fault): throw tampered(ChainFailure(.head(fault), at: .head))
        case .valid(let form):
            // HEAD's form names the key that its MAC needs.
            var keyring = try Keyring(form.key, in: storage)
            if keyring.keys[form.key] == nil {
                if let fault = try foreignness(of: form, reader) { throw tampered(ChainFailure(.head(fault), at: .head)) }
                // Damage that shows without the key weighs more than its absence.
                _ = try examine(form, &keyring, &reader)
            }
            let key = try keyring.require(form.key)
            guard HeadFinding(bytes, keys: [key.id: key]).head != nil else {
                throw tampered(ChainFailure(.head(.mac), at: .head))
            }
            if form.alert, !planted(.alertIgnored) { throw LedgerError(locked: storage) }
            try adopt(form, &keyring, &reader)
        }
    }

    /// A HEAD of another ledger is none of ours, whatever key it names, and is not written to.
    private func foreignness(of head: Head, _ reader: SegmentReader) throws(LedgerError) -> HeadFault? {
        let genesis = try doing("cannot read the ledger") { () throws(StorageError) in try reader.genesis() }
        guard let genesis else { return nil }
        if planted(.foreignHeadAdopted) { return nil }
        return genesis.ledger != head.ledger ? .foreignLedger : nil
    }

    /// HEAD is valid: check its last frame and all beyond, mend what a crash left, and stand behind the last entry.
    private mutating func adopt(_ head: Head, _ keyring: inout Keyring, _ reader: inout SegmentReader) throws(LedgerError) {
        let verifier: ChainVerifier
        let examination = try examine(head, &keyring, &reader)
        try compareWithAnchor(
            head, keyring, firstSeq: reader.segments.first ?? 1, lastSeq: examination.lastSeq)
        switch examination {
        case .whole(let found): verifier = found
        case .torn(let tear):
            // A crash between these steps leaves the tail torn, or cut with its evidence pending: the next open goes on from there.
            if !planted(.tornTailDestroyed), !planted(.tornTailCutFirst) { try keepEvidence(of: tear, reader) }
            try doing("cannot cut the torn tail") { () throws(StorageError) in
                try reader.open(segment: tear.place.segment, .readWrite).cut(to: tear.place.offset)
            }
            if planted(.tornTailCutFirst) { try keepEvidence(of: tear, reader) }
            guard case .whole(let found) = try examine(head, &keyring, &reader) else {
                throw LedgerError(
                    .inputOutput, "the torn tail at \(tear.place) was cut, and the ledger is still not whole; verify it")
            }
            verifier = found
        }
        try stand(
            behind: verifier, head, keyring, provenUpTo: Place(segment: head.segment, offset: head.end, seq: head.seq), reader)
        // Before anything new is acknowledged HEAD vouches for all that was: where it cannot be replaced, one entry at most goes without.
        if let state, state.lag > 0 { try writeHead() }
        if !planted(.tornTailUnrecorded) { try recordKeptEvidence() }
    }

    private enum Examination {
        case whole(ChainVerifier)
        case torn(Tear)

        /// The last entry before a tear.
        var lastSeq: UInt64 {
            switch self {
            case .whole(let verifier): verifier.tip?.seq ?? 0
            case .torn(let tear): tear.place.seq - 1
            }
        }
    }

    /// With the key that HEAD names first; with all there are if that does not do: one may be introduced behind HEAD.
    private func examine(
        _ head: Head, _ keyring: inout Keyring, _ reader: inout SegmentReader
    ) throws(LedgerError) -> Examination {
        guard
            let start = try doing("cannot read the ledger", { () throws(StorageError) in try startOfVouchedFrame(head, reader) })
        else {
            try keyring.loadOthers(from: storage)
            throw try alarm(head, keyring, try firstFailure(head, keyring, &reader), reader)
        }
        var verifier = ChainVerifier(
            at: Place(segment: head.segment, offset: start, seq: head.seq), of: head.ledger, key: head.key, keys: keyring.keys,
            head: head)
        if start > 0 {
            let found = try doing("cannot read the ledger") { () throws(StorageError) in
                try reader.actors(in: head.segment, of: head.ledger, keys: keyring.keys)
            }
            switch found {
            case .success(let actors): verifier.actors = actors
            case .failure(let failure):
                try keyring.loadOthers(from: storage)
                throw try alarm(head, keyring, failure, reader)
            }
        }
        // An earlier HEAD was put back over one that was rebuilt in alert: the alert stands.
        var wasRebuilt = false
        let end: SegmentReader.End
        do throws(StorageError) {
            end = try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    guard frame.seq > head.seq else { return true }
                    let action = bytes.text(frame.action)
                    if action == Drafts.headRebuilt { wasRebuilt = true }
                    if action == ChainTurn.repaired || action == SignedRequest.Verb.release.action { wasRebuilt = false }
                    return true
                })
        } catch {
            throw LedgerError(error, doing: "cannot read the ledger")
        }
        let calledFor = verifier.tip?.key ?? head.key
        if end != .complete || keyring.keys[calledFor] == nil || !verifier.absentKeys.isEmpty, !keyring.hasAll {
            try keyring.loadOthers(from: storage)
            return try examine(head, &keyring, &reader)
        }
        let judgement: Judgement?
        if case .failed(let failure) = end {
            judgement = try doing("cannot read the ledger") { () throws(StorageError) in
                try Judgement(failure, verifier, head: head, reader)
            }
        } else {
            judgement = nil
        }
        if case .tampered = judgement {} else { try requireKeys(of: verifier, head, keyring) }
        switch judgement {
        case nil:
            if wasRebuilt, !planted(.rebuiltAlertForgotten), let key = keyring.keys[head.key] {
                raiseAlert(head, key, because: "HEAD was gone, and was written anew from the entries")
                throw LedgerError(locked: storage)
            }
            if let associates = verifier.actors?.associates, associates.isSuspended, !planted(.suspensionIgnored),
                let key = keyring.keys[head.key]
            {
                raiseAlert(
                    head, key, because: "HEAD was calm, and the repair in entry \(associates.act.seq) waits for its release")
                throw LedgerError(locked: storage)
            }
            return .whole(verifier)
        case .torn(let tear): return .torn(tear)
        case .tampered(let failure): throw try alarm(head, keyring, failure, reader)
        }
    }

    /// What cannot be verified is neither cut nor written behind; where HEAD's own key is absent, whoever needs it says so.
    private func requireKeys(of verifier: ChainVerifier, _ head: Head, _ keyring: Keyring) throws(LedgerError) {
        guard keyring.keys[head.key] != nil else { return }
        // HEAD itself vouches for its entry, which may be the one by which an older key introduced HEAD's.
        let sealing = verifier.absentKeys.subtracting([verifier.beginning?.key].compactMap(\.self))
        let needed = sealing.union([verifier.tip?.key ?? head.key]).filter { keyring.keys[$0] == nil }
        guard let id = needed.min(by: { $0.description < $1.description }) else { return }
        throw LedgerError(.unverifiable, "what key \(id) seals behind HEAD cannot be verified: \(keyring.absence(of: id))")
    }

    /// What opening says of damage; a HEAD of another ledger, which no entry can fit, is what is wrong then, and is not written to.
    private func alarm(
        _ head: Head, _ keyring: Keyring, _ failure: ChainFailure, _ reader: SegmentReader
    ) throws(LedgerError) -> LedgerError {
        if let fault = try foreignness(of: head, reader) { return tampered(ChainFailure(.head(fault), at: .head)) }
        return raisingAlert(head, keyring.keys[head.key], failure)
    }

    private func startOfVouchedFrame(_ head: Head, _ reader: SegmentReader) throws(StorageError) -> Int? {
        guard reader.segments.contains(head.segment) else { return nil }
        let file = try reader.open(segment: head.segment)
        guard try file.status().size >= head.end else { return nil }
        return try reader.lastFrame(endingAt: head.end, in: file).map { head.end - $0.bytes.count }
    }

    /// Where HEAD's frame is not found, the whole chain is walked to name the first bad entry.
    private func firstFailure(_ head: Head, _ keyring: Keyring, _ reader: inout SegmentReader) throws(LedgerError) -> ChainFailure
    {
        var verifier = ChainVerifier(keys: keyring.keys, head: head)
        let end = try doing("cannot read the ledger") { () throws(StorageError) in try reader.scan(&verifier) }
        if case .failed(let failure) = end { return failure }
        return verifier.failure(.headMismatch)
    }

    /// Makes the state that commits go on from; what HEAD did not vouch for is written again and synced first (design §3).
    mutating func stand(
        behind verifier: ChainVerifier, _ head: Head, _ keyring: Keyring, provenUpTo proven: Place, _ reader: SegmentReader
    ) throws(LedgerError) {
        guard let tip = verifier.tip else { preconditionFailure("a whole ledger has a tip") }
        let key = try keyring.require(tip.key)
        let position = verifier.position
        state = try doing("cannot open the ledger") { () throws(StorageError) in
            let lag = try prove(from: proven, to: position, reader)
            // Whoever made the segment may have been killed before its name was durable.
            if position.segment != head.segment, !planted(.newSegmentNameUnproven) {
                try storage.synchronize(directory: Layout.ledger)
            }
            let file = try reader.open(segment: position.segment, .readWrite)
            var endBefore: Place?
            if position.offset == 0, let before = reader.segments.last(where: { $0 < position.segment }) {
                endBefore = Place(segment: before, offset: try reader.open(segment: before).status().size, seq: tip.seq)
            }
            return State(
                key: key, keyOath: try keyring.oath(of: key.id), keys: keyring.keys, head: head, tip: tip,
                segment: position.segment, file: file,
                oath: try Oath(file), end: position.offset, fileSize: try file.status().size, endBefore: endBefore,
                actors: verifier.actors ?? ActorRoster(), firstSeq: reader.segments.first ?? 1, headTime: environment.uptime(),
                lag: lag)
        }
    }

    /// Writes the bytes between two places again, as they are, and syncs them; returns their number.
    ///
    /// After a failed sync the page cache may show bytes that the disk never got, and would never write them again by itself.
    /// So it is with a cut: what is appended behind one that is not durable would mix, sector by sector, with what was cut,
    /// and that looks like no crash. Any cut leaves a file that ends with its data; such a one is cut there again.
    private func prove(from start: Place, to end: Place, _ reader: SegmentReader) throws(StorageError) -> Int {
        var total = 0
        for segment in reader.segments where segment >= start.segment && segment <= end.segment {
            let file = try reader.open(segment: segment, .readWrite)
            let first = segment == start.segment ? start.offset : 0
            let last = segment == end.segment ? end.offset : try file.status().size
            let isCut = segment != end.segment || planted(.cutUnproven) ? false : try file.status().size == last
            if isCut { try file.truncate(to: last) }
            var offset = first
            while offset < last {
                var buffer = [UInt8](repeating: 0, count: min(SegmentReader.readByteCount, last - offset))
                let count = try file.read(into: &buffer, from: 0, at: offset)
                guard count > 0 else { throw StorageError(.drift, "read", file.path.description) }
                if !planted(.unprovenTrusted) { try file.write(buffer.span.extracting(0..<count), at: offset) }
                offset += count
            }
            if last > first || isCut, !planted(.provenUnsynced) { try file.synchronize() }
            total += max(0, last - first)
        }
        return total
    }
}

// Alert and a missing HEAD
extension WriterSession {
    func tampered(_ failure: ChainFailure) -> LedgerError {
        var error = LedgerError(failure)
        if error.code == .tampered {
            error.message = "the ledger \(storage.basePath) was tampered with: \(error.message); nothing was written"
        }
        return error
    }

    /// Locks the house: changes only `alert` in a HEAD that is valid.
    func raisingAlert(_ head: Head, _ key: SealingKey?, _ failure: ChainFailure) -> LedgerError {
        var error = tampered(failure)
        if error.code == .tampered, let key, raiseAlert(head, key, because: LedgerError(failure).message) {
            error.message += ", but the alert was raised"
        }
        return error
    }

    /// A path that changed under us, which alone have the lock, locks the house where HEAD can be believed.
    func raisingAlertOnDrift(_ error: LedgerError) -> LedgerError {
        if error.cause == .drift, !planted(.driftOnOpeningForgotten) { raiseAlertByHead(because: error.message) }
        return error
    }

    /// Requires the lock; says whether the alert is raised, now or before.
    @discardableResult
    func raiseAlertByHead(because cause: String) -> Bool {
        guard let bytes = try? HeadFinding.bytes(in: storage), let form = HeadFinding(bytes, keys: [:]).head,
            let key = try? Keyring(form.key, in: storage).keys[form.key],
            let head = HeadFinding(bytes, keys: [key.id: key]).head
        else { return false }
        return head.alert || raiseAlert(head, key, because: cause)
    }

    /// Says whether it is raised: if HEAD cannot be replaced, the next opener finds the same damage.
    @discardableResult
    func raiseAlert(_ head: Head, _ key: SealingKey, because cause: String) -> Bool {
        if planted(.alertUnraised) { return false }
        // Without it the house is locked all the same.
        if !planted(.alertCauseForgotten) { try? AlertCause.keep(cause, for: head, key, at: environment.now(), in: storage) }
        var alarmed = head
        alarmed.alert = true
        let bytes = alarmed.sealed(with: key)
        do throws(StorageError) {
            try storage.replace(Layout.head, bytes.span)
            return true
        } catch {
            return false
        }
    }

    /// HEAD is gone, which no crash does: verify all; a whole ledger gets a HEAD in alert, a damaged one nothing.
    private mutating func rebuildHead(_ reader: inout SegmentReader) throws(LedgerError) {
        guard let genesis = try doing("cannot read the ledger", { () throws(StorageError) in try reader.genesis() }) else {
            if reader.segments.isEmpty {
                throw LedgerError(.usage, "\(storage.basePath) holds no ledger; make one with `bulla init`")
            }
            throw tampered(ChainFailure(.head(.missing), at: .head))
        }
        let keyring = try Keyring(allIn: storage, needed: [genesis.key])
        var verifier = ChainVerifier(keys: keyring.keys)
        var lastAction = ""
        let end = try doing("cannot read the ledger") { () throws(StorageError) in
            try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    if frame.action.count == Drafts.headRebuilt.utf8.count {
                        lastAction = bytes.text(frame.action)
                    } else {
                        lastAction = ""
                    }
                    return true
                })
        }
        if case .failed(let failure) = end { throw tampered(failure) }
        guard let tip = verifier.tip else { throw tampered(ChainFailure(.head(.missing), at: .head)) }
        if let id = verifier.absentKeys.min(by: { $0.description < $1.description }) {
            throw LedgerError(
                .unverifiable, "HEAD is missing, and what key \(id) sealed cannot be verified: \(keyring.absence(of: id))")
        }
        let start = Place(segment: reader.segments[0], offset: 0, seq: reader.segments[0])
        try stand(
            behind: verifier, Head(alert: !planted(.rebuiltHeadCalm), end: 1, segment: 1, tip: tip), keyring, provenUpTo: start,
            reader)
        state?.isHeadMissing = true
        // A crash before HEAD is written leaves the entry; it is not recorded twice.
        if lastAction != Drafts.headRebuilt { try commitOwn(Drafts.headRebuilt(seq: tip.seq)) }
        try writeHead(replacing: nil)
        state = nil
        throw LedgerError(
            .tampered,
            "HEAD was missing, which no crash does; the ledger is whole up to seq \(tip.seq), its HEAD was rebuilt, and the house is now in alert",
            at: Place(segment: 0, offset: 0, seq: tip.seq))
    }
}

extension Place {
    /// The file HEAD.
    static let head = Place(segment: 0, offset: 0, seq: 0)
}

extension SegmentReader {
    /// The first frame there is, if it is one: it names the ledger and the key. Nothing of it is verified.
    func genesis() throws(StorageError) -> ChainTip? { try firstFrame()?.tip }

    /// The same, with what it builds on if earlier segments were archived.
    func firstFrame() throws(StorageError) -> (tip: ChainTip, base: ChainBase?)? {
        guard let first = segments.first else { return nil }
        let file = try open(segment: first)
        // Nearly every first frame is short; only one that says it is longer is read with room for the longest.
        var room = Self.usualGenesisByteCount
        while true {
            var bytes = [UInt8](repeating: 0, count: room)
            let count = try file.read(into: &bytes, from: 0, at: 0)
            guard count > 0 else { return nil }
            switch FrameView.find(in: bytes.span.extracting(0..<count), at: 0) {
            case .frame(let frame):
                let span = bytes.span
                let base = ChainBase(seq: first, previousHash: frame.previousHash(in: span), key: frame.key(in: span))
                return (ChainTip(frame, of: span), first > 1 ? base : nil)
            case .incomplete:
                guard count == room, room < Limits.frame else { return nil }
                room = Limits.frame
            case .padding, .fault: return nil
            }
        }
    }

    private static var usualGenesisByteCount: Int {
        1 << 12
    }
}

extension LedgerError {
    /// What is told to whoever wants to write, or asks for signatures, while the alert is raised.
    package init(locked storage: any Storage) {
        let ledger = "--ledger \(Checkup.word(storage.basePath))"
        let isGoverned = (try? LedgerView(storage).actors())?.associates != nil
        self.init(
            .locked,
            "the ledger \(storage.basePath) is in alert: it is read and verified as before, but nothing is written until "
                + (isGoverned
                    ? "its associates release it: `bulla alert status \(ledger)` tells why, and what is to be done"
                    : "it is released: find out why with `bulla verify \(ledger)`; `bulla repair --yes \(ledger)` releases it"))
    }
}
