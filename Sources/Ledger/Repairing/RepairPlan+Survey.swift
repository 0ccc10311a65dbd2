import CanonicalJSON
import DurableFiles
import LedgerFormat
import PlantedDefects

extension RepairPlan {
    /// Walks over the whole ledger, and behind each damage on; reads only.
    ///
    /// - Parameter skipCountMax: after so many damages it gives up, and there is no plan.
    package init(_ view: LedgerView, skipCountMax: Int) throws(LedgerError) {
        ledger = try Self.name(of: view)
        prefix = Prefix()
        head = Self.judgeHead(view, ledger)
        try look(view, skipCountMax)
        if trustsBase, view.firstSeq > 1, prefix.archived == nil, restated == nil {
            // What lies before is lost, unless it turns up elsewhere.
            trustsBase = false
            (head, damages, survivors, contradictsHead) = (Self.judgeHead(view, ledger), [], Survivors(), false)
            (matchesHead, retiredKeys) = (nil, [])
            try look(view, skipCountMax)
        }
        if let head = validHead, view.keyring.keys[head.key] == nil {
            // What a HEAD vouches for whose key is not there could not be sealed anew.
            throw LedgerError(.unverifiable, "cannot repair: \(view.keyring.absence(of: head.key))")
        }
        if validHead == nil { faultyHead = view.headBytes }
        guard seq < Limits.seq - survivors.readmittedCount - Self.ownEntryCountMax else {
            throw LedgerError(
                .tampered,
                "cannot repair: seq \(seq - 1) leaves no room behind it, so no honest entry has it; move the key files that are not "
                    + "this ledger's out of keys/, or restore a backup")
        }
    }

    private mutating func look(_ view: LedgerView, _ skipCountMax: Int) throws(LedgerError) {
        try scanPrefix(view)
        if trustsBase, case .segmentName = failure?.reason, failure?.place.segment == 1, view.firstSeq > 1 {
            // The whole chain was walked, and no entry explains where it begins.
            trustsBase = false
            try scanPrefix(view)
        }
        if case .laterVersion = failure?.reason {
            throw LedgerError(.unverifiable, "cannot repair what a later version of bulla has written; use that version")
        }
        try compareHead(view)
        if failure != nil { try findSurvivors(view, skipCountMax) }
    }

    /// Entries that a repair writes besides those that it re-admits: one for itself, and one or two for each key.
    private static let ownEntryCountMax: UInt64 = 1 << 20

    /// A HEAD that our key proves is ours, also where the first entry says by damage that it is of another ledger.
    private static func judgeHead(_ view: LedgerView, _ ledger: LedgerID) -> Result<Head, HeadFault> {
        switch HeadFinding(view.headBytes, keys: view.keyring.keys) {
        case .faulty(let fault): .failure(fault)
        case .valid(let head): head.ledger == ledger ? .success(head) : .failure(.foreignLedger)
        }
    }

    /// Where the chain is whole: what HEAD says of it.
    private mutating func compareHead(_ view: LedgerView) throws(LedgerError) {
        if matchesHead == .underAnotherKey { head = .failure(.foreignKey) }
        guard failure == nil else { return }
        if let tip = prefix.tip, view.keyring.keys[tip.key] == nil { throw Self.absence(of: tip.key, behind: tip.seq, view) }
        guard let head = validHead else { return }
        contradictsHead = matchesHead == nil
        guard head.seq > prefix.seq, head.key != prefix.tip?.key else { return }
        // The end is gone, with the entry that introduced the key; or HEAD is forged with an old one.
        if prefix.replacedKeys.contains(head.key) {
            self.head = .failure(.foreignKey)
            contradictsHead = false
        } else {
            failure = ChainFailure(.shorterThanHead(vouched: head.seq), at: prefix.end)
            contradictsHead = false
        }
    }

    private static func absence(of key: KeyID, behind seq: UInt64, _ view: LedgerView) -> LedgerError {
        LedgerError(
            .unverifiable,
            "cannot repair: what follows seq \(seq) must be sealed with key \(key), and \(view.keyring.absence(of: key))")
    }

    private mutating func findSurvivors(_ view: LedgerView, _ skipCountMax: Int) throws(LedgerError) {
        var resync = Resync()
        resync.skipCountMax = skipCountMax
        resync.trustsBase = trustsBase
        let survey = try resync.run(view, of: ledger)
        if let place = survey.gaveUpAt {
            throw LedgerError(
                .tampered,
                "more than \(skipCountMax) damages, and the search was given up at \(place); allow more with --max-skips",
                at: place)
        }
        let whole = prefix
        if let tip = whole.tip, view.keyring.keys[tip.key] == nil { try cutPrefix(view) }
        try doing("cannot read the ledger") { () throws(StorageError) in
            for damage in survey.damages {
                damages.append(Damage(range: damage, digest: try Self.digest(of: damage, view.storage)))
            }
        }
        var salvage = try salvaging(view, survey)
        if salvage.windows.isHeadBelieved, try cutPrefixAtFork(view, survey) { salvage = try salvaging(view, survey) }
        if trustsBase, view.firstSeq > 1, prefix.archived == nil {
            try findExplanation(salvage, view)
            // The ledger may begin with the damage, behind what was archived.
            if restated != nil { salvage = try salvaging(view, survey) }
        }
        // Only a key that was retired is gone for good: any other one's backup may turn up.
        if let tip = whole.tip, view.keyring.keys[tip.key] == nil, !salvage.windows.isRetired(tip.key) {
            throw Self.absence(of: tip.key, behind: tip.seq, view)
        }
        let vouched = validHead
        if validHead != nil, salvage.contradictsHeadKey || !salvage.windows.isHeadBelieved { head = .failure(.foreignKey) }
        try doing("cannot read the ledger") { () throws(StorageError) in try count(salvage, view) }
        // A key that entries name did exist, and HEAD calls for it: whoever lost its file looks for a backup first.
        if let key = vouched?.key, view.keyring.keys[key] == nil,
            salvage.windows.isIntroduced(key) || survivors.keylessCounts[key] != nil, !salvage.windows.isRetired(key)
        {
            throw Self.absence(of: key, behind: vouched?.seq ?? 0, view)
        }
    }

    /// What explains the ledger's beginning, if an entry says it that HEAD's links prove: whoever has an old key could forge any other.
    private mutating func findExplanation(_ salvage: Salvage, _ view: LedgerView) throws(LedgerError) {
        var found: (body: JSONObject, statement: ArchiveStatement)?
        let base = prefix.tip == nil ? nil : view.base
        try doing("cannot read the ledger") { () throws(StorageError) in
            try salvage.walk { _, isProven, frame, bytes in
                guard isProven, found == nil else { return }
                let entry = Readmission(frame, of: bytes)?.entry ?? Entry(frame, of: bytes)
                guard entry.action == ArchiveStatement.action, let body = (try? JSON(parsing: entry.body))?.object,
                    let statement = ArchiveStatement(body: body)
                else { return }
                let isRight = base.map(statement.explains) ?? statement.segments.contains { $0.last + 1 == view.firstSeq }
                if isRight { found = (body, statement) }
            }
        }
        guard let found else { return }
        restated = found.body
        note(found.statement, view)
        guard prefix.tip == nil, let last = found.statement.segments.first(where: { $0.last + 1 == view.firstSeq }) else { return }
        var tip = ChainTip(emptyLedger: ledger, key: last.key)
        (tip.seq, tip.hash, tip.synced) = (last.last, last.tip, last.last)
        prefix.tip = tip
        prefix.end = Place(segment: view.firstSeq, offset: 0, seq: view.firstSeq)
        prefix.taken = [1...last.last]
        prefix.lastSealableSeq = view.keyring.keys[last.key] == nil ? nil : last.last
    }

    /// The keys that were replaced in what was archived.
    private mutating func note(_ statement: ArchiveStatement, _ view: LedgerView) {
        let calledFor = statement.segments.first { $0.last + 1 == view.firstSeq }?.key
        for key in statement.keys where key.introduced < view.firstSeq && key.key != calledFor {
            prefix.replacedKeys.insert(key.key)
        }
    }

    private func salvaging(_ view: LedgerView, _ survey: Survey) throws(LedgerError) -> Salvage {
        try doing("cannot read the ledger") { () throws(StorageError) in
            try Salvage(view, survey, of: ledger, behind: prefix, head: validHead)
        }
    }

    /// Entries that link up to HEAD's tip are the ledger's. Where they go on from an entry of the prefix, what follows that entry in the
    /// prefix is not, however well it is sealed: somebody with an old key, or a copy, put it before them.
    ///
    /// - Returns: whether it was so.
    private mutating func cutPrefixAtFork(_ view: LedgerView, _ survey: Survey) throws(LedgerError) -> Bool {
        guard let head = validHead, view.keyring.keys[head.key] != nil, !prefix.replacedKeys.contains(head.key),
            !planted(.forkFollowed),
            let run = survey.runs.dropFirst().first(where: \.holdsHead), run.start.seq > 1, run.start.seq <= prefix.seq
        else { return false }
        let forkSeq = run.start.seq - 1
        let fork = try doing("cannot read the ledger") { () throws(StorageError) in
            try (Self.hash(of: forkSeq, in: view), Self.link(at: run.start, in: view))
        }
        guard let hash = fork.0, hash == fork.1 else { return false }
        try scanPrefix(view, through: forkSeq)
        return true
    }

    /// The hash of an entry of the prefix.
    private static func hash(of seq: UInt64, in view: LedgerView) throws(StorageError) -> Digest? {
        var reader = try SegmentReader(view.storage)
        var verifier = ChainVerifier(keys: view.keyring.keys)
        var hash: Digest?
        _ = try reader.scan(
            &verifier,
            visit: { frame, bytes in
                if frame.seq == seq { hash = frame.hash(in: bytes) }
                return frame.seq < seq
            })
        return hash
    }

    /// What the frame at a place says of the entry before it.
    private static func link(at place: Place, in view: LedgerView) throws(StorageError) -> Digest? {
        let file = try SegmentReader(view.storage).open(segment: place.segment)
        let bytes = try file.bytes(in: place.offset..<min(place.offset + Limits.frame, file.status().size))
        guard case .frame(let frame) = FrameView.find(in: bytes.span, at: 0) else { return nil }
        return frame.previousHash(in: bytes.span)
    }

    /// Nothing can be sealed behind an entry that calls for a key which is not there: the prefix ends where the key still is.
    private mutating func cutPrefix(_ view: LedgerView) throws(LedgerError) {
        guard let last = prefix.lastSealableSeq else {
            prefix = Prefix()
            absentKeys = []
            return
        }
        try scanPrefix(view, through: last)
    }

    private mutating func count(_ salvage: Salvage, _ view: LedgerView) throws(StorageError) {
        survivors.lastSeq = salvage.last?.seq ?? 0
        survivors.lastKey = salvage.last?.key
        survivors.isLastKeyIntroduced = salvage.last.map { salvage.windows.isIntroduced($0.key) } ?? false
        survivors.foreignCounts = salvage.foreignCounts
        survivors.keylessCounts = salvage.keylessCounts
        for damage in damages { try countKeyless(in: damage.range, view) }
        let prefixSeq = prefix.seq
        var survivors = survivors
        try salvage.walk { draft, isProven, frame, _ in
            guard draft != nil else { return }
            if isProven { survivors.provenCount += 1 } else { survivors.unprovenCount += 1 }
            if frame.seq > prefixSeq { survivors.inGapCount += 1 }
        }
        let counted =
            survivors.readmittedCount + salvage.foreignCounts.values.reduce(0, +) + salvage.keylessCounts.values.reduce(0, +)
        survivors.leftOutCount = salvage.frameCount - min(salvage.frameCount, counted)
        self.survivors = survivors
        retiredKeys = absentKeys.filter(salvage.windows.isRetired)
        absentKeys.subtract(retiredKeys)
    }

    /// Counts frames that are whole but for a seal that nobody can check.
    private mutating func countKeyless(in damage: Survey.Damage, _ view: LedgerView) throws(StorageError) {
        let reader = try SegmentReader(view.storage)
        let finder = FrameFinder(ledger: ledger, keys: [:])
        var counts = survivors.keylessCounts
        for segment in reader.segments where segment >= damage.start.segment && segment <= damage.next?.segment ?? .max {
            let end = damage.next.flatMap { $0.segment == segment ? $0.offset : nil }
            let start = segment == damage.start.segment ? damage.start.offset : 0
            try reader.find(finder, in: segment, from: start, upTo: end) { frame, bytes, _ in
                let key = frame.key(in: bytes)
                if view.keyring.keys[key] == nil { counts[key, default: 0] += 1 }
                return true
            }
        }
        survivors.keylessCounts = counts
    }

    /// - Parameter last: the entry to end at.
    private mutating func scanPrefix(_ view: LedgerView, through last: UInt64 = Limits.seq) throws(LedgerError) {
        guard view.firstSeq == 1 || trustsBase else {
            prefix = Prefix()
            absentKeys = []
            failure = ChainFailure(.segmentName(found: view.firstSeq), at: prefix.end)
            return
        }
        var explanation: (seq: UInt64, statement: ArchiveStatement)?
        var verifier = ChainVerifier(keys: view.keyring.keys)
        var found = Prefix()
        var current: KeyID?
        let vouched = validHead
        var taken = TakenSeqs()
        let end = try doing("cannot read the ledger") { () throws(StorageError) in
            var reader = try SegmentReader(view.storage)
            return try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    let tip = ChainTip(frame, of: bytes)
                    if explanation == nil, let base = view.base, let statement = frame.archived(in: bytes),
                        statement.explains(base)
                    {
                        explanation = (frame.seq, statement)
                    }
                    // Only whole decisions stay; what is shown is found again where the decision ends.
                    if frame.part?.isLast ?? true {
                        found.tip = tip
                        taken.note(frame, bytes)
                        if view.keyring.keys[tip.key] != nil { found.lastSealableSeq = tip.seq }
                    } else {
                        taken.pass(frame)
                    }
                    if let current, current != tip.key { found.replacedKeys.insert(current) }
                    current = tip.key
                    if tip.seq == vouched?.seq, tip.hash == vouched?.tip {
                        matchesHead = tip.key == vouched?.key ? .entirely : .underAnotherKey
                    }
                    return frame.seq < last
                })
        }
        found.taken = taken.ranges
        found.end = verifier.openDecision ?? verifier.position
        found.end.seq = found.seq + 1
        prefix = found
        if let explanation, explanation.seq <= found.seq {
            prefix.archived = explanation.statement
            note(explanation.statement, view)
        }
        absentKeys = verifier.absentKeys
        if case .failed(let reason) = end { failure = reason }
        if end == .complete, found.tip == nil {
            failure = ChainFailure(validHead.map { .shorterThanHead(vouched: $0.seq) } ?? .genesisExpected, at: found.end)
        }
    }

    private static func digest(of damage: Survey.Damage, _ storage: any Storage) throws(StorageError) -> Digest? {
        guard damage.byteCount > 0 else { return nil }
        let file = try SegmentReader(storage).open(segment: damage.start.segment)
        let end = damage.start.offset + damage.byteCount
        var digest = StreamingDigest()
        for start in stride(from: damage.start.offset, to: end, by: SegmentReader.readByteCount) {
            let bytes = try file.bytes(in: start..<min(end, start + SegmentReader.readByteCount))
            digest.update(bytes.span)
        }
        return digest.finish()
    }
}
