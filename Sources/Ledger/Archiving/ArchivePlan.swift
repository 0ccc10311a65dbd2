package import LedgerFormat
import DurableFiles

/// Which segments may leave a ledger. Nothing is changed by making a plan.
///
/// Only whole segments go, oldest first, and never the one that is being written to. Where all of that one may go too it is ended first.
package struct ArchivePlan: Sendable {
    package enum Limit: Sendable, Equatable {
        /// What lies before this entry.
        case seq(UInt64)
        /// What lies before the first entry that is not older than this.
        case time(Timestamp)
    }

    package struct Segment: Sendable, Equatable {
        package var first: UInt64
        package var last: UInt64
        package var byteCount: Int
    }

    /// The first entry that must stay.
    package let limit: UInt64
    /// Those that go, oldest first.
    package private(set) var segments: [Segment] = []
    /// The active segment goes too, once it is ended.
    package let endsActiveSegment: Bool
    /// The segment that `limit` lies in, or that is written to.
    package let stays: UInt64

    /// - Throws: `tampered` for a HEAD that is none, or damage that is met on the way.
    package init(_ view: LedgerView, _ limit: Limit, _ environment: Environment) throws(LedgerError) {
        if case .failure(let fault) = view.head { throw LedgerError(ChainFailure(.head(fault), at: .head)) }
        guard let head = view.validHead, let active = view.segments.last else {
            throw LedgerError(ChainFailure(.head(.missing), at: .head))
        }
        switch limit {
        case .seq(let seq): self.limit = seq
        case .time(let time):
            var first: UInt64?
            let end = try EntryReader(view, environment).read(from: view.firstSeq) { frame, _ in
                if frame.time >= time { first = frame.seq }
                return first == nil
            }
            self.limit = first ?? end.next
        }
        endsActiveSegment = active <= head.seq && head.seq < self.limit
        var stays = active
        var taken: [Segment] = []
        do throws(StorageError) {
            let ends = zip(view.segments, view.segments.dropFirst().map { $0 - 1 } + [head.seq])
            for (first, last) in ends {
                guard last < self.limit, first != active || endsActiveSegment, taken.count < ArchiveStatement.segmentCountMax
                else {
                    stays = first
                    break
                }
                let size = try view.storage.status(of: SegmentReader.path(ofSegment: first))?.size ?? 0
                taken.append(Segment(first: first, last: last, byteCount: first == active ? head.end : size))
            }
        } catch {
            throw LedgerError(error, doing: "cannot read the ledger")
        }
        segments = taken
        self.stays = stays
    }

    package var byteCount: Int { segments.reduce(0) { $0 + $1.byteCount } }

    /// The finished segments of a ledger that the plan takes, also where one was ended since it was made.
    package func finishedSegments(of view: LedgerView) -> [UInt64] {
        let ends = zip(view.segments, view.segments.dropFirst().map { $0 - 1 })
        return ends.prefix { $0.1 < limit }.prefix(ArchiveStatement.segmentCountMax).map(\.0)
    }

    /// What is said where nothing can go.
    package var refusal: LedgerError {
        LedgerError(
            .refused,
            "there is nothing to archive: only whole segments are, and the first one, which begins at seq \(stays), holds entries "
                + "that stay, from seq \(limit) on")
    }
}
