import CanonicalJSON
import DurableFiles
package import LedgerFormat
import PlantedDefects

extension RepairPlan {
    /// Walks over the whole ledger, and behind each damage on; reads only.
    ///
    /// - Parameters:
    ///   - skipCountMax: after so many damages it gives up, and there is no plan.
    ///   - goneKeys: keys whose files will never turn up.
    ///   - recovery: what archives at hand prove of the beginning.
    ///   - requests: what associates had signed, as they kept it.
    ///   - naming: who signs for the house, where nothing sound says it.
    ///   - sightings: what was seen of a ledger before.
    package init(
        _ view: LedgerView, skipCountMax: Int, goneKeys: Set<KeyID> = [], _ recovery: ArchiveRecovery? = nil,
        requests: [SignedRequest] = [], naming: Naming? = nil, sightings: (LedgerID) -> Sightings
    ) throws(LedgerError) {
        let ledger = try Self.name(of: view)
        self.ledger = ledger
        self.sightings = sightings(ledger)
        basePath = view.storage.basePath
        firstSeq = view.firstSeq
        isBeginningGone = view.segments.isEmpty && view.validHead?.segment ?? 1 > 1
        self.goneKeys = goneKeys
        self.recovery = recovery
        prefix = Prefix()
        head = Self.judgeHead(view, ledger)
        alertCause = AlertCause(of: view)
        (self.requests, self.naming) = (requests, naming)
        try look(view, skipCountMax)
        if trustsBase, view.firstSeq > 1, prefix.archived == nil, restated == nil {
            // What lies before is lost, unless it turns up elsewhere.
            trustsBase = false
            (head, damages, survivors, contradictsHead) = (Self.judgeHead(view, ledger), [], Survivors(), false)
            (matchesHead, retiredKeys, path) = (nil, [], ProvenPath())
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
        if trustsBase, !usesArchives, case .segmentName = failure?.reason, failure?.place.segment == 1, view.firstSeq > 1 {
            // The whole chain was walked, and no entry explains where it begins.
            trustsBase = false
            try scanPrefix(view)
        }
        try compareHead(view)
        guard failure == nil else { return try findSurvivors(view, skipCountMax) }
        mendAssociates()
        // The end is cut off where a segment ended.
        if let head = validHead, head.segment > max(1, prefix.seq), !actors.isEmpty { lostStatements = [head.segment] }
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
        if let tip = prefix.tip, view.keyring.keys[tip.key] == nil {
            throw Self.absence(of: tip.key, for: .follower(tip.seq), view)
        }
        // A chain that ends under a key which is not there, and that HEAD does not know, anybody can have written.
        if let key = prefix.sealing, prefix.lastSealedSeq < prefix.seq, matchesHead == nil, !planted(.prefixUnvouched) {
            guard goneKeys.contains(key), let head = validHead, head.seq > prefix.seq else {
                throw Self.absenceUnlessGone(of: key, for: .seal(prefix.seq), view)
            }
            failure = ChainFailure(.shorterThanHead(vouched: head.seq), at: prefix.end)
            return
        }
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

    /// What a key is wanted for: to check an entry's seal, or to seal what follows one.
    private enum Need {
        case seal(UInt64)
        case follower(UInt64)

        var clause: String {
            switch self {
            case .seal(let seq): "seq \(seq) is sealed"
            case .follower(let seq): "what follows seq \(seq) must be sealed"
            }
        }
    }

    private static func absence(of key: KeyID, for need: Need, _ view: LedgerView) -> LedgerError {
        LedgerError(
            .unverifiable, "cannot repair: \(need.clause) with key \(key), and \(view.keyring.absence(of: key))")
    }

    /// The same where a user can say that the key will not turn up.
    private static func absenceUnlessGone(of key: KeyID, for need: Need, _ view: LedgerView) -> LedgerError {
        var error = absence(of: key, for: need, view)
        error.message += "; if it is gone for good, `bulla repair --gone \(key)` gives up what only that key can prove"
        return error
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
        let (vouched, called) = (validHead, prefix.tip?.key ?? view.genesis?.key)
        var salvage = try salvaging(view, survey)
        if salvage.isHeadTrusted, try followLinks(view) { salvage = try salvaging(view, survey) }
        if vouched != nil, !salvage.isHeadTrusted {
            head = .failure(.foreignKey)
            path = ProvenPath()
            try scanPrefix(view)
            salvage = try salvaging(view, survey)
        }
        if salvage.holdsLaterVersion || isOfLaterVersion(isSealed: called.flatMap { view.keyring.keys[$0] } != nil) {
            throw LedgerError(.unverifiable, "cannot repair what a later version of bulla has written; use that version")
        }
        if let key = try cutPrefixAtKeys(view) {
            salvage = try salvaging(view, survey)
            // Only a key that was retired is gone for good: any other one's backup may turn up.
            guard salvage.windows.isRetired(key.id) || goneKeys.contains(key.id) else {
                throw Self.absenceUnlessGone(of: key.id, for: key.need, view)
            }
        }
        if view.firstSeq > 1, prefix.archived == nil {
            try findExplanation(salvage, view)
            // The ledger may begin with the damage, behind what was archived.
            if restated != nil { salvage = try salvaging(view, survey) }
        }
        try doing("cannot read the ledger") { () throws(StorageError) in
            for var damage in survey.damages.flatMap(path.rest(of:)) {
                if isBehindHole, damage.start.segment < firstSeq {
                    (damage.start, damage.reason) = (prefix.end, ChainFailure.Reason.segmentMissing.description)
                }
                damages.append(Damage(range: damage, digest: try Self.digest(of: damage, view.storage)))
            }
            try count(salvage, survey, view)
        }
        // A key that entries name did exist, and HEAD calls for it: whoever lost its file looks for a backup first.
        if let key = vouched?.key, view.keyring.keys[key] == nil,
            salvage.windows.isIntroduced(key) || survivors.keylessCounts[key] != nil, !salvage.windows.isRetired(key)
        {
            throw Self.absence(of: key, for: .follower(vouched?.seq ?? 0), view)
        }
    }

    /// What explains the ledger's beginning, if an entry says it that HEAD's links prove: whoever has an old key could forge any other.
    ///
    /// Where none explains the first entry that is left, segments behind the archive may be gone: then the last archive of which such an
    /// entry tells says where the ledger began.
    private mutating func findExplanation(_ salvage: Salvage, _ view: LedgerView) throws(LedgerError) {
        var found: (body: JSONObject, statement: ArchiveStatement)?
        var (earlier, first) = (found, view.firstSeq)
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
                if statement.last >= earlier?.statement.last ?? 0 { earlier = (body, statement) }
            }
        }
        if found == nil, !trustsBase, prefix.tip == nil, let behind = earlier, behind.statement.last + 1 < view.firstSeq {
            first = behind.statement.last + 1
            found = behind
        }
        guard trustsBase || first < view.firstSeq, let found else { return }
        (restated, firstSeq) = (found.body, first)
        build(on: found.statement, view)
        if first < view.firstSeq { failure = ChainFailure(.segmentMissing, at: prefix.end) }
    }

    /// What a believed explanation says of the beginning.
    private mutating func build(on statement: ArchiveStatement, _ view: LedgerView) {
        note(statement, view)
        // Where nothing of it is left in place, the ledger goes on right behind what was archived.
        guard prefix.tip == nil, let last = statement.segments.first(where: { [firstSeq] in $0.last + 1 == firstSeq }) else {
            return
        }
        var tip = ChainTip(emptyLedger: ledger, key: last.key)
        (tip.seq, tip.hash, tip.synced) = (last.last, last.tip, last.last)
        prefix.tip = tip
        prefix.end = Place(segment: firstSeq, offset: 0, seq: firstSeq)
        prefix.taken = [1...last.last]
        prefix.lastSealableSeq = view.keyring.keys[last.key] == nil ? 0 : last.last
    }

    /// The keys that were replaced in what was archived.
    private mutating func note(_ statement: ArchiveStatement, _ view: LedgerView) {
        let calledFor = statement.segments.first { [firstSeq] in $0.last + 1 == firstSeq }?.key
        for key in statement.keys where key.introduced < firstSeq && key.key != calledFor {
            prefix.replacedKeys.insert(key.key)
        }
    }

    private func salvaging(_ view: LedgerView, _ survey: Survey) throws(LedgerError) -> Salvage {
        try doing("cannot read the ledger") { () throws(StorageError) in
            try Salvage(view, survey, of: ledger, behind: prefix, head: validHead, path: path)
        }
    }

    /// Entries that link up to HEAD's tip are the ledger's. Where they leave the prefix, what follows there in the prefix is not, however
    /// well it is sealed: somebody with an old key, or a copy, put it before them, or anybody did, whose seals nobody can check.
    ///
    /// - Returns: whether there are any.
    private mutating func followLinks(_ view: LedgerView) throws(LedgerError) -> Bool {
        guard let head = validHead, view.keyring.keys[head.key] != nil, !prefix.replacedKeys.contains(head.key) else {
            return false
        }
        path = try doing("cannot read the ledger") { [ledger] () throws(StorageError) in
            try ProvenPath(to: head, view, of: ledger)
        }
        if let fork = path.fork(from: prefix), !planted(.forkFollowed) { try cutPrefix(view, through: fork) }
        return !path.stretches.isEmpty
    }

    /// Whether a later version has written what ends the prefix, and that is not damage: without a seal anybody can claim that, and where
    /// HEAD's links pass by, it is none of the chain's.
    private func isOfLaterVersion(isSealed: Bool) -> Bool {
        guard case .laterVersion = failure?.reason, let seq = failure?.place.seq else { return false }
        guard let head = validHead, head.seq >= seq, let first = path.stretches.first else { return true }
        return isSealed && first.start.seq > seq
    }

    /// The prefix ends where a seal, or a link from HEAD, vouches for it, and something can be sealed behind it. What stands behind the last such
    /// entry anybody can have written, also the introduction of a key that is there: that key's proof says nothing of what came before.
    ///
    /// - Returns: the key that was not there, if any of the prefix was given up, and what it was wanted for.
    private mutating func cutPrefixAtKeys(_ view: LedgerView) throws(LedgerError) -> (id: KeyID, need: Need)? {
        var missing: (id: KeyID, need: Need)?
        let vouchedSeq = max(prefix.lastSealedSeq, path.lastSeq(in: prefix))
        if let key = prefix.sealing, vouchedSeq < prefix.seq, !planted(.prefixUnvouched) {
            missing = (key, .seal(prefix.seq))
            try cutPrefix(view, through: vouchedSeq)
        }
        // What was archived stays vouched for, also where its key is gone.
        if let tip = prefix.tip, prefix.seq >= firstSeq, view.keyring.keys[tip.key] == nil {
            missing = missing ?? (tip.key, .follower(tip.seq))
            try cutPrefix(view, through: prefix.lastSealableSeq)
        }
        return missing
    }

    /// - Parameter last: the entry to end at; 0 for none.
    private mutating func cutPrefix(_ view: LedgerView, through last: UInt64) throws(LedgerError) {
        guard last > 0 else { return try emptyPrefix(view) }
        try scanPrefix(view, through: last)
    }

    /// Nothing that stands there stays in place.
    private mutating func emptyPrefix(_ view: LedgerView) throws(LedgerError) {
        (prefix, absentKeys, restated) = (Prefix(), [], nil)
        sightings.forget()
        actors = prefix.actors
        if let recovery { try build(on: recovery, behind: nil, view) }
    }

    /// The archives at hand explain the beginning.
    ///
    /// - Parameter base: what the first entry that is left builds on; nil if that is not sound.
    private mutating func build(on recovery: ArchiveRecovery, behind base: ChainBase?, _ view: LedgerView) throws(LedgerError) {
        guard recovery.tip.ledger == ledger else { throw ArchiveRecovery.refusal("they are of another ledger") }
        guard recovery.statement.last + 1 == firstSeq,
            base.map(recovery.statement.explains) ?? true || planted(.recoveryUncompared)
        else {
            throw ArchiveRecovery.refusal("the first entry that is left, seq \(firstSeq), does not follow on their last one")
        }
        // A link proves them whatever has sealed them.
        if base == nil, let key = recovery.absentKey {
            throw LedgerError(.unverifiable, "the archives cannot be verified: \(view.keyring.absence(of: key))")
        }
        usesArchives = true
        prefix.archived = recovery.statement
        // Of a beginning that is lost they tell who was enrolled, and who signs for the house, when the last of them ended.
        if !prefix.knowsActors, let roster = recovery.actors, !planted(.archivedRosterForgotten) {
            (prefix.actors, actors) = (roster, roster)
            prefix.archiveTellsActors = true
        }
        build(on: recovery.statement, view)
    }

    private mutating func count(_ salvage: Salvage, _ survey: Survey, _ view: LedgerView) throws(StorageError) {
        survivors.lastSeq = salvage.last?.seq ?? 0
        survivors.lastKey = salvage.last?.key
        survivors.isLastKeyIntroduced = salvage.last.map { salvage.windows.isIntroduced($0.key) } ?? false
        survivors.foreignCounts = salvage.foreignCounts
        survivors.keylessCounts = salvage.keylessCounts
        for damage in survey.damages { try countKeyless(in: damage, view) }
        (actors, strangers) = (salvage.actors, salvage.strangers)
        nameAssociates(salvage)
        try mendAssociates(salvage.associateTraces, survey, view)
        lostStatements = try findLostStatements(salvage, view)
        let prefixSeq = prefix.seq
        var (survivors, sightings) = (survivors, sightings)
        try salvage.walk { draft, isProven, frame, bytes in
            guard draft != nil else { return }
            sightings.note(frame, bytes)
            if isProven { survivors.provenCount += 1 } else { survivors.unprovenCount += 1 }
            if frame.seq > prefixSeq { survivors.inGapCount += 1 }
        }
        let counted =
            survivors.readmittedCount + salvage.foreignCounts.values.reduce(0, +) + salvage.keylessCounts.values.reduce(0, +)
        survivors.leftOutCount = salvage.frameCount - min(salvage.frameCount, counted)
        (self.survivors, self.sightings) = (survivors, sightings)
        retiredKeys = absentKeys.filter(salvage.windows.isRetired)
        absentKeys.subtract(retiredKeys)
    }

    /// The lost first entries of segments that nobody behind them repeats: while anybody is enrolled, each segment begins with who it
    /// is, and a change of that begins a segment.
    private func findLostStatements(_ salvage: Salvage, _ view: LedgerView) throws(StorageError) -> [UInt64] {
        if planted(.lostStatementsUntold) { return [] }
        let reader = try SegmentReader(view.storage)
        var lost: [UInt64] = []
        for segment in Set(view.segments + [validHead?.segment].compactMap(\.self)).sorted()
        where segment > max(1, prefix.seq) && !salvage.holds(segment) && !salvage.tellsActors(from: segment) {
            // Where nobody is known to be enrolled, only what is left of its bytes can say that it was about that.
            if actors.isEmpty {
                guard reader.segments.contains(segment) else { continue }
                let bytes = try reader.open(segment: segment).bytes(in: 0..<1 << 12)
                guard bytes.firstRange(of: Array("\"action\":\"actor.".utf8)) != nil else { continue }
            }
            lost.append(segment)
        }
        return lost
    }

    /// Counts frames that are whole but for a seal that nobody can check.
    private mutating func countKeyless(in damage: Survey.Damage, _ view: LedgerView) throws(StorageError) {
        let reader = try SegmentReader(view.storage)
        let finder = FrameFinder(ledger: ledger, keys: [:])
        var counts = survivors.keylessCounts
        let path = path
        for segment in reader.segments where segment >= damage.start.segment && segment <= damage.next?.segment ?? .max {
            let end = damage.next.flatMap { $0.segment == segment ? $0.offset : nil }
            let start = segment == damage.start.segment ? damage.start.offset : 0
            try reader.find(finder, in: segment, from: start, upTo: end) { frame, bytes, offset in
                let key = frame.key(in: bytes)
                let place = Place(segment: segment, offset: offset + frame.frame.lowerBound, seq: frame.seq)
                if path.holds(place) { return true }
                if view.keyring.keys[key] == nil { counts[key, default: 0] += 1 }
                return true
            }
        }
        survivors.keylessCounts = counts
    }

    /// - Parameter last: the entry to end at.
    private mutating func scanPrefix(_ view: LedgerView, through last: UInt64 = Limits.seq) throws(LedgerError) {
        sightings.forget()
        if let recovery, recovery.precedesHole {
            // Nothing of what is left stands where the archives end.
            (prefix, absentKeys, restated, firstSeq) = (Prefix(), [], nil, recovery.tip.seq + 1)
            try build(on: recovery, behind: nil, view)
            failure = ChainFailure(.segmentMissing, at: prefix.end)
            return
        }
        guard view.firstSeq == 1 || trustsBase else {
            prefix = Prefix()
            actors = prefix.actors
            absentKeys = []
            failure = ChainFailure(.segmentName(found: view.firstSeq), at: prefix.end)
            return
        }
        (restated, usesArchives) = (nil, false)
        var explanation: (seq: UInt64, statement: ArchiveStatement, body: [UInt8], isSealed: Bool)?
        var verifier = ChainVerifier(keys: view.keyring.keys)
        var found = Prefix()
        var current: KeyID?
        let (vouched, ledger) = (validHead, ledger)
        var taken = TakenSeqs()
        var foreign: LedgerID?
        var sightings = sightings
        let end = try doing("cannot read the ledger") { () throws(StorageError) in
            var reader = try SegmentReader(view.storage)
            return try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    let tip = ChainTip(frame, of: bytes)
                    // The first entry says which ledger the others must be of; where nobody can check its seal, HEAD knows better.
                    guard tip.ledger == ledger else {
                        foreign = tip.ledger
                        return false
                    }
                    if explanation == nil, let base = view.base, let statement = frame.archived(in: bytes),
                        statement.explains(base)
                    {
                        let isSealed = view.keyring.keys[frame.key(in: bytes)] != nil
                        explanation = (frame.seq, statement, bytes.copy(frame.body), isSealed)
                    }
                    sightings.note(frame, bytes)
                    // Only whole decisions stay; what is shown is found again where the decision ends.
                    if frame.part?.isLast ?? true {
                        found.tip = tip
                        taken.note(frame, bytes)
                        found.sealing = frame.key(in: bytes)
                        if view.keyring.keys[frame.key(in: bytes)] != nil { found.lastSealedSeq = tip.seq }
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
        if let foreign {
            try emptyPrefix(view)
            failure = ChainFailure(.foreignLedger(found: foreign), at: prefix.end)
            return
        }
        self.sightings = sightings
        found.taken = taken.ranges
        found.end = verifier.openDecision ?? verifier.position
        found.end.seq = found.seq + 1
        found.actors = verifier.actors ?? ActorRoster()
        found.signedIDs = try Self.signedIDs(through: found.seq, verifier, view)
        found.knowsActors = found.tip != nil && verifier.actors != nil
        prefix = found
        actors = found.actors
        // Of a decision that is not whole the state is lost, which archives give back.
        if let explanation, explanation.seq <= found.seq || explanation.isSealed && recovery == nil {
            prefix.archived = explanation.statement
            build(on: explanation.statement, view)
            // It is sound, and the end of its decision is not.
            restated = explanation.seq > found.seq ? (try? JSON(parsing: explanation.body))?.object : nil
        } else if let recovery {
            try build(on: recovery, behind: verifier.tip == nil ? nil : view.base, view)
        }
        absentKeys = verifier.absentKeys
        if case .failed(let reason) = end { failure = reason }
        tear = try doing("cannot read the ledger") { () throws(StorageError) in try tear(of: verifier, view) }
        if tear != nil { failure = nil }
        if end == .complete, found.tip == nil {
            failure = ChainFailure(validHead.map { .shorterThanHead(vouched: $0.seq) } ?? .genesisExpected, at: found.end)
        }
    }

    /// What a crash has torn is no damage, and whoever opens the ledger cuts it.
    private func tear(of verifier: ChainVerifier, _ view: LedgerView) throws(StorageError) -> Tear? {
        guard let failure, matchesHead == .entirely, absentKeys.isEmpty,
            case .torn(let tear) = try Judgement(failure, verifier, head: validHead, SegmentReader(view.storage))
        else { return nil }
        return tear
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
