package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// Verifies a whole ledger without any lock and without writing a byte.
package struct Audit: Sendable {
    package var threadCount = 1
    /// Stops after so many microseconds; nil for no limit.
    package var budget: Int64?
    /// Where to begin; the first frame's link is then not checked.
    package var firstSeq: UInt64 = 1
    /// A frame that was verified before, to go on from: it is verified once more, but for its link.
    package var start: Place?
    /// What the first entry builds on, if no entry before `start` explains it.
    package var base: ChainBase?
    /// Keys that were not there for what lies before `start`.
    package var absences: [KeyID: Set<KeyID>] = [:]
    /// Looks at nothing behind what HEAD vouches for, which others may be writing.
    package var endsAtHead = false
    package var receipts: [Receipt] = []
    /// Whether entries may have members that format 1 does not know.
    package var allowsExtraMembers = false
    /// Called now and then with the bytes done and the bytes there are.
    package var progress: (@Sendable (Int, Int) -> Void)?

    private let environment: Environment

    package init(_ environment: Environment) { self.environment = environment }

    package func run(_ storage: any Storage, keyring: Keyring? = nil) async throws(LedgerError) -> AuditReport {
        var view = try LedgerView(storage, keyring: keyring)
        var (report, _) = try await walk(&view)
        check(receipts, &report, view)
        return report
    }
}

// The walk
extension Audit {
    /// Answers also with the verifier as it stands where the walk ended: from there anybody can look again, or go on.
    func walk(_ view: inout LedgerView) async throws(LedgerError) -> (report: AuditReport, verifier: ChainVerifier) {
        while true {
            let total = try totalByteCount(view)
            let result: (report: AuditReport, verifier: ChainVerifier)?
            do throws(StorageError) {
                result = try await attempt(&view, total)
            } catch {
                let failure = LedgerError(error, doing: "cannot read the ledger")
                let isOvertaken = error.isNotFound && (try? beginsLater(&view)) == true
                guard isOvertaken || (try? beginsAnew(&view)) == true else { throw failure }
                continue
            }
            guard let result else { continue }
            // A rotation may have brought a key since we looked for them.
            guard result.report.keyAbsence != nil, try view.findsMoreKeys(), !planted(.newKeysOverlooked) else { return result }
        }
    }

    /// Whether segments were archived meanwhile, so that the walk begins again with those that are left.
    private func beginsLater(_ view: inout LedgerView) throws(StorageError) -> Bool {
        guard try SegmentReader.segments(in: view.storage).first ?? 1 > view.firstSeq else { return false }
        _ = try view.refresh()
        return true
    }

    /// Whether a repair ended meanwhile, so that the walk begins again under the HEAD that it wrote.
    private func beginsAnew(_ view: inout LedgerView) throws(StorageError) -> Bool {
        guard view.isMended else { return false }
        _ = try view.refresh()
        return true
    }

    /// One walk; nil where it has to begin again.
    private func attempt(
        _ view: inout LedgerView, _ total: Int
    ) async throws(StorageError) -> (report: AuditReport, verifier: ChainVerifier)? {
        let run = Run(audit: self, environment: environment, total: total)
        var settling = Settling(environment)
        var verifier = ChainVerifier(keys: view.keyring.keys, head: view.validHead)
        if let start, let genesis = view.genesis, view.segments.contains(start.segment) {
            verifier = ChainVerifier(at: start, of: genesis.ledger, key: nil, keys: view.keyring.keys, head: view.validHead)
            verifier.base = base
            verifier.actors = try SegmentReader(view.storage).actors(at: start, of: genesis.ledger, keys: view.keyring.keys)
        } else if firstSeq > 1, let genesis = view.genesis, let start = try SegmentReader(view.storage).locate(firstSeq) {
            verifier = ChainVerifier(at: start, of: genesis.ledger, key: nil, keys: view.keyring.keys, head: view.validHead)
            verifier.actors = try SegmentReader(view.storage).actors(at: start, of: genesis.ledger, keys: view.keyring.keys)
        }
        verifier.allowsExtraMembers = allowsExtraMembers
        verifier.carry(absences)
        if threadCount > 1, budget == nil {
            verifier = try await ParallelScan(threadCount: threadCount).run(verifier, view, progress: run.progress)
        }
        verifier.passesLaterVersions = true
        // The time is over, and the walk goes on to the next end of a decision.
        var isEnding = false
        while true {
            var reader = try SegmentReader(view.storage)
            let end = try reader.scan(
                &verifier, upTo: limit(view, verifier), isOutOfTime: isEnding ? { false } : run.isOutOfTime,
                visit: { frame, _ in !isEnding || frame.part.map { !$0.isLast } ?? false })
            switch end {
            case .complete:
                // Behind a HEAD that moved far on there is more to do than should be done under a lock.
                if endsAtHead, try view.refresh(), isFarBehind(view, verifier) {
                    verifier.compare(with: view.validHead)
                    continue
                }
                return (conclude(view, verifier, failure: nil, reader), verifier)
            case .stopped: return (partial(view, verifier), verifier)
            case .outOfTime:
                // Who resumes at a decision must come further than it, however little time there is.
                guard verifier.entryCount == 1 || verifier.openDecision != nil else {
                    return (partial(view, verifier), verifier)
                }
                isEnding = true
            case .failed(let failure):
                if try beginsLater(&view) { return nil }
                if try beginsAnew(&view) { return nil }
                if try settling.mayBeUnderWay(failure, &view) {
                    verifier.compare(with: view.validHead)
                    continue
                }
                let judgement = try Judgement(failure, verifier, head: view.validHead, reader)
                return (conclude(view, verifier, failure: judgement, reader, isBusy: settling.isBusy), verifier)
            }
        }
    }

    /// Where HEAD ends, if the walk is to end there and does not stand behind it.
    private func limit(_ view: LedgerView, _ verifier: ChainVerifier) -> Place? {
        guard endsAtHead, let head = view.validHead else { return nil }
        let place = verifier.position
        guard (place.segment, place.offset) < (head.segment, head.end) else { return place }
        return Place(segment: head.segment, offset: head.end, seq: head.seq)
    }

    private func isFarBehind(_ view: LedgerView, _ verifier: ChainVerifier) -> Bool {
        guard let head = view.validHead, head.seq >= verifier.position.seq else { return false }
        return head.segment != verifier.position.segment || head.end - verifier.position.offset > Limits.headLag
    }

    private func totalByteCount(_ view: LedgerView) throws(LedgerError) -> Int {
        try doing("cannot read the ledger") { () throws(StorageError) in
            var total = 0
            for segment in view.segments {
                total += try view.storage.status(of: SegmentReader.path(ofSegment: segment))?.size ?? 0
            }
            return total
        }
    }

    /// The time and progress of one audit.
    private struct Run {
        let audit: Audit
        let environment: Environment
        let total: Int
        let start: Int64

        init(audit: Audit, environment: Environment, total: Int) {
            self.audit = audit
            self.environment = environment
            self.total = total
            start = environment.uptime()
        }

        var progress: @Sendable (Int) -> Void {
            let (report, total) = (audit.progress, total)
            return { report?(min($0, total), total) }
        }

        var isOutOfTime: () -> Bool {
            var reads = 0
            let progress = progress
            return {
                reads += 1
                progress(reads * SegmentReader.readByteCount)
                // Something is read in any time, so that whoever goes on again and again comes to the end.
                guard let budget = audit.budget, reads > 1 else { return false }
                return environment.uptime() - start >= budget
            }
        }
    }
}

// The verdict
extension Audit {
    private func conclude(
        _ view: LedgerView, _ verifier: ChainVerifier, failure: Judgement?, _ reader: SegmentReader, isBusy: Bool = false
    ) -> AuditReport {
        var report = AuditReport(
            verdict: .intact, place: verifier.verifiedEnd, reason: nil, tip: verifier.tip, entryCount: verifier.entryCount,
            head: view.validHead)
        report.firstSeq = view.firstSeq
        report.archivedBy = verifier.explanation
        report.isHeadKeyAbsent = view.keyAbsence != nil
        report.keyAbsence = keyAbsence(view, verifier)
        switch failure {
        case .tampered(let failure):
            report.place = failure.place
            report.reason = failure.reason.description
            report.verdict = .tampered
            return report
        case .torn(let tear):
            report.verdict = .torn
            report.place = tear.place
            report.reason = tear.reason.description
            // A writer is at it right now: what is torn for us is not finished for him.
            if isBusy {
                report.verdict = .intact
                report.isUnsettledBehind = true
                report.place = verifier.verifiedEnd
            }
        case nil: break
        }
        if case .failure(let fault) = view.head {
            report.verdict = .tampered
            report.place = Place(segment: 0, offset: 0, seq: verifier.tip?.seq ?? 0)
            report.reason = fault.description
            return report
        }
        // What a later version may have meant we do not know; all that needs no knowledge of it was checked, to the end.
        if let later = verifier.laterVersion {
            report.find(later)
        } else if let absence = report.keyAbsence {
            let torn = report.verdict == .torn ? "; behind it lies a torn tail" : ""
            report.verdict = .unverifiable
            report.place = verifier.verifiedEnd
            report.reason = "\(absence); all that needs no key was checked\(torn)"
        }
        return report
    }

    private func keyAbsence(_ view: LedgerView, _ verifier: ChainVerifier) -> String? {
        view.keyAbsence ?? verifier.absentKeys.min { $0.description < $1.description }.map(view.keyring.absence(of:))
    }

    private func partial(_ view: LedgerView, _ verifier: ChainVerifier) -> AuditReport {
        var report = AuditReport(
            verdict: .partial, place: verifier.verifiedEnd, reason: "the time budget ran out", tip: verifier.tip,
            entryCount: verifier.entryCount, head: view.validHead)
        report.isHeadKeyAbsent = view.keyAbsence != nil
        report.keyAbsence = keyAbsence(view, verifier)
        if let later = verifier.laterVersion, view.validHead != nil { report.find(later) }
        // The walk starts at a frame before the wanted one, and may not have come to it.
        report.resumeSeq = max(verifier.position.seq, firstSeq)
        return report
    }
}

extension AuditReport {
    /// What a later version has written.
    fileprivate mutating func find(_ later: ChainFailure) {
        verdict = .unverifiable
        place = later.place
        reason = later.reason.description
    }
}

extension ChainVerifier {
    /// The end of what was verified: behind the last entry, with its seq.
    var verifiedEnd: Place { Place(segment: position.segment, offset: position.offset, seq: position.seq - 1) }
}

// Receipts
extension Audit {
    private func check(_ receipts: [Receipt], _ report: inout AuditReport, _ view: LedgerView) {
        let isPartial = report.verdict == .partial
        for receipt in receipts {
            // What was not reached yet is no rollback.
            if isPartial, let tip = report.tip, receipt.ledger == tip.ledger, receipt.seq > tip.seq { continue }
            if let tip = report.tip, receipt.ledger == tip.ledger, receipt.seq < view.firstSeq {
                report.receipts.append(.init(receipt: receipt, failure: nil, isArchived: true))
                guard report.verdict == .intact || report.verdict == .torn else { continue }
                report.verdict = .unverifiable
                report.reason = "the receipt's entry, seq \(receipt.seq), was archived; give the archive with --archive"
                continue
            }
            let failure = failure(of: receipt, report, view)
            report.receipts.append(.init(receipt: receipt, failure: failure))
            guard let failure, report.verdict != .tampered else { continue }
            report.verdict = .tampered
            report.place = Place(segment: report.place.segment, offset: report.place.offset, seq: receipt.seq)
            report.reason = failure
        }
    }

    private func failure(of receipt: Receipt, _ report: AuditReport, _ view: LedgerView) -> String? {
        guard let tip = report.tip, receipt.ledger == tip.ledger else {
            return "the receipt is of another ledger, \(receipt.ledger)"
        }
        guard receipt.seq <= tip.seq else {
            return "the receipt's entry, seq \(receipt.seq), is not there: the verified ledger ends at seq \(tip.seq)"
        }
        let entry: Entry
        do throws(LedgerError) {
            var reader = EntryReader(view, environment)
            reader.passesLaterVersions = true
            if case .lost(let repair) = try reader.fate(of: receipt.seq) {
                return "the receipt's entry, seq \(receipt.seq), was lost in repair \(repair)"
            }
            entry = try reader.entry(receipt.seq)
        } catch {
            return "the receipt's entry, seq \(receipt.seq), cannot be read: \(error)"
        }
        if planted(.receiptsUncompared) { return nil }
        if entry.hash == receipt.hash, entry.time != receipt.time {
            return "the receipt says \(receipt.time), and the entry with seq \(receipt.seq) says \(entry.time)"
        }
        return entry.hash == receipt.hash
            ? nil : "the entry with seq \(receipt.seq) has another hash than the receipt: this is another history"
    }
}
