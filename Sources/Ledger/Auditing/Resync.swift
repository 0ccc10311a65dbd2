import DurableFiles
package import LedgerFormat
import PlantedDefects

/// Goes on behind damage: finds the next frame that starts and whose own seal holds, again and again, to the end of the ledger.
///
/// Reads only. What it finds sound is no verdict on the whole: between two runs nothing says what is missing, or in which order it stood.
package struct Resync: Sendable {
    /// After so many damages it gives up.
    package var skipCountMax = 100
    /// The first segment may build on an archive.
    package var trustsBase = true

    package init() {}

    /// - Parameter known: which ledger it is, where that was found out otherwise.
    package func run(_ view: LedgerView, of known: LedgerID? = nil) throws(LedgerError) -> Survey {
        let keys = view.keyring.keys
        guard let ledger = known ?? view.ledger else {
            throw LedgerError(
                .tampered,
                "neither the first entry nor HEAD says which ledger \(view.storage.basePath) is: nothing can be found in it")
        }
        let head = HeadFinding(view.headBytes, keys: keys).head
        return try doing("cannot read the ledger") { () throws(StorageError) in
            var walk = Walk(head: head, ledger: ledger, keys: keys, reader: try SegmentReader(view.storage))
            if trustsBase, let survey = try walk.run(upTo: skipCountMax, trustsBase: true) { return survey }
            walk.survey = Survey()
            return try walk.run(upTo: skipCountMax, trustsBase: false) ?? walk.survey
        }
    }

    private struct Walk {
        let head: Head?
        let ledger: LedgerID
        let keys: [KeyID: SealingKey]
        var reader: SegmentReader
        var survey = Survey()

        /// Nil where the first segment builds on an archive of which no entry tells, up to the end of a chain without other damage.
        mutating func run(upTo skipCountMax: Int, trustsBase: Bool) throws(StorageError) -> Survey? {
            // The first run is the verified prefix, from the first entry on; the others begin where a frame was found.
            let first = reader.segments.first ?? 1
            var start = Place(segment: first, offset: 0, seq: first)
            var verifier = ChainVerifier(keys: keys)
            var isPrefix = true
            if first > 1, !trustsBase {
                let missing = ChainFailure(.segmentName(found: first), at: Place(segment: 1, offset: 0, seq: 1))
                let next = try nextFrame(behind: missing.place, skipping: 0)
                try add(missing, next)
                guard let next else { return survey }
                (start, isPrefix) = (next, false)
                verifier = survivors(at: next)
            }
            while case .failed(let failure) = try scan(&verifier, from: start) {
                if isPrefix, first > 1, case .segmentName = failure.reason, failure.place.segment == 1 { return nil }
                if survey.damages.count == skipCountMax {
                    survey.gaveUpAt = failure.place
                    break
                }
                // A frame that was found sound and yet is refused is no beginning: the search goes on behind its first byte.
                let isRefused = !isPrefix && verifier.entryCount == 0
                // Never back: a decision that is not whole fails where it begins, and its entries were walked over.
                let reached = verifier.entryCount > 0 ? verifier.position : failure.place
                let isBehind = (failure.place.segment, failure.place.offset) < (reached.segment, reached.offset)
                let next = try nextFrame(
                    behind: isRefused ? start : isBehind ? reached : failure.place, skipping: isRefused ? 1 : 0)
                try add(failure, next)
                guard let next else { break }
                start = next
                isPrefix = false
                verifier = survivors(at: next)
            }
            return survey
        }

        private func survivors(at place: Place) -> ChainVerifier { ChainVerifier(ofSurvivorsAt: place, of: ledger, keys: keys) }

        private mutating func scan(_ verifier: inout ChainVerifier, from start: Place) throws(StorageError) -> SegmentReader.End {
            let head = head
            var holdsHead = false
            let end = try reader.scan(
                &verifier,
                visit: { frame, bytes in
                    if frame.seq == head?.seq, frame.hash(in: bytes) == head?.tip { holdsHead = true }
                    return true
                })
            if let tip = verifier.tip, verifier.entryCount > 0 {
                var start = start
                start.seq = verifier.beginning?.seq ?? start.seq
                survey.runs.append(.init(start: start, entryCount: verifier.entryCount, tip: tip, holdsHead: holdsHead))
            }
            return end
        }

        private mutating func add(_ failure: ChainFailure, _ next: Place?) throws(StorageError) {
            let place = failure.place
            let end: Int
            if let next, next.segment == place.segment {
                end = next.offset
            } else if reader.segments.contains(place.segment) {
                end = try reader.open(segment: place.segment).status().size
            } else {
                end = place.offset
            }
            survey.damages.append(
                .init(start: place, next: next, byteCount: max(0, end - place.offset), reason: failure.reason.description))
        }

        /// The first sound frame at or behind a place, in its segment or a later one.
        private func nextFrame(behind place: Place, skipping: Int) throws(StorageError) -> Place? {
            let finder = FrameFinder(ledger: ledger, keys: keys)
            for segment in reader.segments where segment >= place.segment {
                let offset = segment == place.segment ? place.offset + skipping : 0
                var found: Place?
                try reader.find(finder, in: segment, from: offset) { frame, _, start in
                    found = Place(segment: segment, offset: start + frame.frame.lowerBound, seq: frame.seq)
                    return false
                }
                if let found { return found }
            }
            return nil
        }
    }
}

extension ChainVerifier {
    /// Verifies what stands behind damage, from a sound frame on: what that builds on is not there, and who is enrolled by then is
    /// found out by who looks at all of it.
    init(ofSurvivorsAt place: Place, of ledger: LedgerID, keys: [KeyID: SealingKey]) {
        self.init(at: place, of: ledger, key: nil, keys: keys)
        judgesActors = planted(.survivorsJudgedByPlace)
    }
}
