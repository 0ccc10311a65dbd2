import DurableFiles
import LedgerFormat

extension RepairPlan {
    /// Walks over the whole ledger, and behind each damage on; reads only.
    ///
    /// - Parameter skipCountMax: after so many damages it gives up, and there is no plan.
    package init(_ view: LedgerView, skipCountMax: Int) throws(LedgerError) {
        guard let ledger = view.ledger else {
            throw LedgerError(
                .tampered, "neither the first entry nor HEAD says which ledger \(view.storage.basePath) is: restore a backup")
        }
        self.ledger = ledger
        prefix = Prefix()
        head = view.head
        // A HEAD that our key proves is ours, also where the first entry says by damage that it is of another ledger.
        if case .failure(.foreignLedger) = view.head, let ours = HeadFinding(view.headBytes, keys: view.keyring.keys).head,
            view.keyring.keys[ours.key] != nil
        {
            head = .success(ours)
        }
        // A HEAD whose key is not there vouches for nothing that could be sealed anew.
        if let absence = view.keyAbsence { throw LedgerError(.unverifiable, "cannot repair: \(absence)") }
        if validHead == nil { faultyHead = view.headBytes }
        try doing("cannot read the ledger") { () throws(StorageError) in try scanPrefix(view) }
        if case .laterVersion = failure?.reason {
            throw LedgerError(.unverifiable, "cannot repair what a later version of bulla has written; use that version")
        }
        if let tip = prefix.tip, view.keyring.keys[tip.key] == nil {
            throw LedgerError(
                .unverifiable,
                "cannot repair: what follows seq \(tip.seq) must be sealed with key \(tip.key), and \(view.keyring.absence(of: tip.key))"
            )
        }
        guard failure != nil else { return }
        var resync = Resync()
        resync.skipCountMax = skipCountMax
        let survey = try resync.run(view)
        if let place = survey.gaveUpAt {
            throw LedgerError(
                .tampered,
                "more than \(skipCountMax) damages, and the search was given up at \(place); allow more with --max-skips",
                at: place)
        }
        try doing("cannot read the ledger") { () throws(StorageError) in
            for damage in survey.damages {
                damages.append(Damage(range: damage, digest: try Self.digest(of: damage, view.storage)))
            }
            let salvage = try Salvage(view, survey, behind: prefix)
            var survivors = Survivors()
            survivors.lastSeq = salvage.last?.seq ?? 0
            survivors.lastKey = salvage.last?.key
            let prefixSeq = prefix.seq
            try salvage.walk { draft, isProven, frame, _ in
                guard draft != nil else { return }
                if isProven { survivors.provenCount += 1 } else { survivors.unprovenCount += 1 }
                if frame.seq > prefixSeq { survivors.inGapCount += 1 }
            }
            survivors.leftOutCount = salvage.frameCount - min(salvage.frameCount, survivors.readmittedCount)
            self.survivors = survivors
        }
    }

    private mutating func scanPrefix(_ view: LedgerView) throws(StorageError) {
        var reader = try SegmentReader(view.storage)
        var verifier = ChainVerifier(keys: view.keyring.keys)
        var tip: ChainTip?
        let vouched = validHead
        var taken = TakenSeqs()
        var matchesHead = false
        let end = try reader.scan(
            &verifier,
            visit: { frame, bytes in
                // Only whole decisions stay; what is shown is found again where the decision ends.
                if frame.part?.isLast ?? true {
                    tip = ChainTip(frame, of: bytes)
                    taken.note(frame, bytes)
                } else {
                    taken.pass(frame)
                }
                if frame.seq == vouched?.seq, frame.hash(in: bytes) == vouched?.tip { matchesHead = true }
                return true
            })
        prefix.tip = tip
        prefix.taken = taken.ranges
        prefix.end = verifier.openDecision ?? verifier.position
        prefix.end.seq = prefix.seq + 1
        if case .failed(let found) = end { failure = found }
        contradictsHead = failure == nil && vouched != nil && !matchesHead
    }

    private static func digest(of damage: Survey.Damage, _ storage: any Storage) throws(StorageError) -> Digest? {
        guard damage.byteCount > 0 else { return nil }
        let file = try SegmentReader(storage).open(segment: damage.start.segment)
        var digest = StreamingDigest()
        var buffer = [UInt8](repeating: 0, count: min(SegmentReader.readByteCount, damage.byteCount))
        var done = 0
        while done < damage.byteCount {
            let count = min(buffer.count, damage.byteCount - done)
            buffer.removeLast(buffer.count - count)
            let read = try file.read(into: &buffer, from: 0, at: damage.start.offset + done)
            if read == 0 { break }
            digest.update(buffer.span.extracting(0..<read))
            done += read
        }
        return digest.finish()
    }
}
