import DurableFiles
package import LedgerFormat

/// What can be told of a ledger at a glance: HEAD, its entry and what lies behind it; of a damaged one, as much as there is.
package struct LedgerStatus: Sendable {
    /// Nil when it is not valid.
    package var head: Head?
    /// Nil when neither HEAD nor the first entry says it.
    package var ledger: LedgerID?
    /// The one that the next entry must be sealed with.
    package var key: KeyID?
    package var keyAbsence: String?
    package var segmentCount: Int
    package var byteCount = 0
    /// Above 1 where earlier entries were archived.
    package var firstSeq: UInt64
    /// The last entry that is verified here and for which HEAD vouches.
    package var tip: Entry?
    /// The last whole entry; nil when that cannot be told.
    package var lastSeq: UInt64? { unsettledCount.flatMap { count in head.map { $0.seq + count } } }
    /// Entries behind HEAD; nil when that cannot be told.
    package var unsettledCount: UInt64?
    package var audits = Audits()
    /// Why it is in alert, if that was kept.
    package var alertCause: AlertCause?
    /// The first damage that was met. That there is none says nothing about entries before HEAD's.
    package var damage: LedgerError?
    package var now: Timestamp

    /// What the sealed position says.
    package struct Audits: Sendable {
        package var full: AuditProgress.Full?
        package var pass: AuditProgress.Pass?
        /// Why it is not known.
        package var doubt: String?
    }

    package init(_ view: LedgerView, _ environment: Environment) {
        now = environment.now()
        head = view.validHead
        alertCause = AlertCause(of: view)
        ledger = view.ledger
        key = view.validHead?.key ?? view.genesis?.key
        keyAbsence = view.keyAbsence
        segmentCount = view.segments.count
        firstSeq = view.firstSeq
        for segment in view.segments {
            byteCount += (try? view.storage.status(of: SegmentReader.path(ofSegment: segment)))??.size ?? 0
        }
        let found = FoundProgress(view, now: now)
        audits = Audits(full: found.progress?.full, pass: found.progress?.pass, doubt: keyAbsence ?? found.notice)
        guard let head else {
            if case .failure(let fault) = view.head {
                damage = LedgerError(.tampered, "\(fault); `bulla verify` shows how far the ledger is whole")
            }
            return
        }
        do throws(LedgerError) {
            let reader = EntryReader(view, environment)
            try reader.checkHead()
            var last: UInt64 = 0
            let behind = try reader.read(from: head.seq) { frame, bytes in
                if frame.seq == head.seq { tip = Entry(frame, of: bytes) }
                last = frame.seq
                return true
            }
            guard last >= head.seq else {
                throw LedgerError(
                    ChainFailure(
                        .shorterThanHead(vouched: head.seq), at: Place(segment: head.segment, offset: 0, seq: behind.next)))
            }
            unsettledCount = last - head.seq
        } catch {
            damage = error
        }
    }
}
