import DurableFiles
import LedgerFormat
import PlantedDefects

/// Which files of archives are the ones that left a ledger: those whose links lead to its first entry.
///
/// A directory may hold others besides, with the same names: what was copied and never left, or what followed another history of the
/// ledger, from before a backup was put back. Names and the ends of files are looked at; nothing is verified.
struct ArchiveSelection: Sendable {
    /// The place of the archive that a segment is read from, by the segment's first seq.
    private(set) var holders: [UInt64: Int] = [:]
    /// Segments that no archive has as it left the ledger: what stands there under their names follows another history.
    private(set) var strays: [UInt64] = []
    /// What was looked at: archived segments before the ledger's own ones.
    private let segments: Set<UInt64>

    private enum Fit { case linked, possible, foreign }

    init(_ ledger: any Storage, _ archives: [any Storage]) throws(StorageError) {
        let own = try SegmentReader(ledger)
        let limit = own.segments.first ?? .max
        // Of a first entry that is damaged nobody knows what it was linked to.
        var next = (seq: limit, previousHash: try own.firstFrame()?.base?.previousHash)
        var names: Set<UInt64> = []
        for archive in archives { names.formUnion(try SegmentReader.segments(in: archive).filter { $0 < limit }) }
        segments = names
        for segment in names.sorted().reversed() {
            var (best, fit): (Int?, Fit) = (nil, .foreign)
            for (index, archive) in archives.enumerated() {
                guard let found = try Self.fit(of: segment, in: archive, before: next) else { continue }
                if best == nil || fit != .linked && found == .linked || fit == .foreign && found == .possible {
                    (best, fit) = (index, found)
                }
            }
            guard let best else { continue }
            holders[segment] = best
            if fit == .foreign {
                strays.append(segment)
                continue
            }
            if fit == .linked {
                // One that reaches to where the next begins leaves no room for those.
                for stray in strays where stray > segment && stray < next.seq { holders[stray] = nil }
                strays.removeAll { $0 > segment && $0 < next.seq }
            }
            next = (segment, try SegmentReader(archives[best], [segment]).firstFrame()?.base?.previousHash)
        }
    }

    /// Whether a segment of the archives is none of the ledger's.
    func leavesOut(_ segment: UInt64) -> Bool { segments.contains(segment) && holders[segment] == nil }

    /// How a file ends, beside where the next segment begins; nil if it is not there.
    private static func fit(
        of segment: UInt64, in archive: any Storage, before next: (seq: UInt64, previousHash: Digest?)
    ) throws(StorageError) -> Fit? {
        let path = SegmentReader.path(ofSegment: segment)
        guard try archive.status(of: path) != nil else { return nil }
        if planted(.archiveChosenByName) { return .possible }
        let reader = try SegmentReader(archive, [segment])
        let file = try reader.open(segment: segment)
        guard let (frame, bytes) = try reader.lastFrame(endingAt: file.status().size, in: file),
            // Damage is for whoever verifies to tell.
            FrameFinder(ledger: nil, keys: [:]).next(in: bytes.span, from: 0) != nil
        else { return .possible }
        // More may be missing between the two.
        if frame.seq + 1 < next.seq { return .possible }
        guard frame.seq + 1 == next.seq else { return .foreign }
        return next.previousHash.map { frame.hash(in: bytes.span) == $0 ? .linked : .foreign } ?? .possible
    }
}
