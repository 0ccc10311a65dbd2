package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// Damage behind HEAD that a crash can have left (design §3).
package struct Tear: Sendable, Equatable {
    /// Where the first bad frame starts, or the decision that is not whole.
    package var place: Place
    /// From there to the end of the file, in bytes.
    package var byteCount: Int
    package var reason: ChainFailure.Reason
}

/// Whether a failure is a tear or tampering.
package enum Judgement: Sendable, Equatable {
    case torn(Tear)
    case tampered(ChainFailure)

    /// Judges by design §3: the one rule that decides whether bytes are ever cut.
    ///
    /// - Parameters:
    ///   - verifier: as it stood when the failure was found.
    ///   - head: nil when HEAD is not valid; then nothing is torn.
    package init(
        _ failure: ChainFailure, _ verifier: ChainVerifier, head: Head?, _ reader: SegmentReader
    ) throws(StorageError) {
        self = .tampered(failure)
        if case .segmentName = failure.reason { return }
        // What a later version wrote is not wrong, and never ours to cut.
        if case .laterVersion = failure.reason { return }
        guard let head, verifier.reachedHead, verifier.isFounded, let ledger = verifier.tip?.ledger else { return }
        let place = verifier.openDecision ?? failure.place
        guard !head.alert || Self.isRelease(place, behind: head, verifier) || planted(.tornInAlert) else { return }
        guard place.segment == reader.segments.last, let lag = Self.lag(of: place, behind: head, reader.segments) else { return }
        guard (0...Limits.headLag).contains(lag) || planted(.tearAnywhere) else { return }
        guard let tail = try Self.tail(from: place, reader) else { return }
        let finder = FrameFinder(ledger: ledger, keys: verifier.keysBehind)
        guard TornTail.objection(to: tail.bytes.span, at: place.offset, seq: place.seq, finder: finder) == nil else { return }
        self = .torn(Tear(place: place, byteCount: tail.fileSize - place.offset, reason: failure.reason))
    }

    /// Whether, in alert, a place is that of the one entry which a locked house writes: its associates' release, the first entry of a
    /// segment right behind what HEAD vouches for.
    private static func isRelease(_ place: Place, behind head: Head, _ verifier: ChainVerifier) -> Bool {
        verifier.actors?.associates != nil && place.offset == 0 && place.seq == head.seq + 1 && !planted(.tornReleaseDamaged)
    }

    /// How far behind HEAD's end a place lies, in bytes; nil when it lies before it, or HEAD is more than a segment back.
    private static func lag(of place: Place, behind head: Head, _ segments: [UInt64]) -> Int? {
        if place.segment == head.segment { return place.offset - head.end }
        guard let index = segments.firstIndex(of: place.segment), index > 0, segments[index - 1] == head.segment else {
            return nil
        }
        return place.offset
    }

    /// The bytes from a place to the end of its file; nil when they are more than a crash can leave.
    private static func tail(from place: Place, _ reader: SegmentReader) throws(StorageError) -> (bytes: [UInt8], fileSize: Int)?
    {
        let file = try reader.open(segment: place.segment)
        let size = try file.status().size
        var bytes: [UInt8] = []
        // One byte more than there should be, so that there is room to read at the end.
        let bufferSize = min(SegmentReader.readByteCount, max(0, size - place.offset) + 1)
        var buffer = [UInt8](repeating: 0, count: bufferSize)
        var dataEnd = 0
        while true {
            let count = try file.read(into: &buffer, from: 0, at: place.offset + bytes.count)
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
            if let last = buffer[..<count].lastIndex(where: { $0 != 0 }) { dataEnd = bytes.count - count + last + 1 }
            guard dataEnd <= Limits.tornTail else { return nil }
        }
        return (bytes, size)
    }
}
