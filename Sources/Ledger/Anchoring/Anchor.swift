package import LedgerFormat
import PlantedDefects

/// The highest entries of one ledger that were seen, by the places where it was seen; kept outside the ledger's directory (design §2).
package struct Anchor: Sendable, Equatable {
    /// The last entry that HEAD vouched for when the ledger was last written at a path.
    package struct Sighting: Sendable, Equatable {
        /// Absolute, without links.
        package var path: PathText
        package var seq: UInt64
        package var hash: Digest
        /// First seq of the segment, and the bytes in it up to the entry's end.
        package var segment: UInt64
        package var offset: Int
        package var time: Timestamp

        package init(path: PathText, seq: UInt64, hash: Digest, segment: UInt64, offset: Int, time: Timestamp) {
            self.path = path
            self.seq = seq
            self.hash = hash
            self.segment = segment
            self.offset = offset
            self.time = time
        }

        package init(_ head: Head, at path: PathText, _ time: Timestamp) {
            self.init(path: path, seq: head.seq, hash: head.tip, segment: head.segment, offset: head.end, time: time)
        }
    }

    package let ledger: LedgerID
    /// One a path; the one that changed last stands last.
    package private(set) var sightings: [Sighting]

    /// More places are not kept: the one that did not change for longest goes.
    package static let sightingCountMax = 64

    package init(_ ledger: LedgerID, _ sightings: [Sighting] = []) {
        self.ledger = ledger
        self.sightings = sightings
    }

    package func sighting(at path: PathText) -> Sighting? { sightings.first { $0.path == path } }

    /// Takes a sighting in; a lower seq never replaces a higher one at the same path.
    package mutating func note(_ new: Sighting) {
        if let known = sighting(at: new.path), known.seq >= new.seq, !planted(.anchorLowered) { return }
        set(new)
    }

    /// What the user accepts counts from now on, a step back too; what speaks against it is forgotten.
    package mutating func accept(_ new: Sighting, forgetting others: [Sighting]) {
        sightings.removeAll { others.contains($0) }
        set(new)
    }

    private mutating func set(_ new: Sighting) {
        sightings.removeAll { $0.path == new.path }
        sightings.append(new)
        sightings.removeFirst(max(0, sightings.count - Self.sightingCountMax))
    }
}
