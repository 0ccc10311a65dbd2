import CanonicalJSON
package import LedgerFormat

/// A projection's state at an entry, sealed, so that only a holder of the key can write one: a file under `snapshots/`.
///
/// A cache: it spares folding what lies before, and never says what the ledger holds.
package struct Snapshot<State: Projection>: Sendable {
    package var ledger: LedgerID
    package var mark: Mark
    package var state: State

    package init(ledger: LedgerID, mark: Mark, state: State) {
        self.ledger = ledger
        self.mark = mark
        self.state = state
    }

    /// A larger one is not written, and not read.
    package static var byteCountMax: Int { 64 << 20 }
}

/// Why a snapshot is ignored.
package enum SnapshotFault: Error, Sendable, Equatable {
    /// As for any sealed file: of another ledger is also what another key than the present one has sealed.
    case seal(SealedObjectFault)
    /// A key that the ledger had before sealed it: honest then, and anybody's who has that key now.
    case earlierKey
    case version, otherHistory
    /// The entry that it was made at is not where it was, since a repair: what it was folded from may be lost.
    case repaired
    /// Nobody can say whether the entry that it was made at stands in the ledger.
    case untold(String)
    /// The entry that it was made at left the ledger, and others that follow it too.
    case archived
    /// It cannot be read, or is no file at all.
    case unreadable(String)
    /// The state cannot be read, or not be written.
    case state(String)
}

extension SnapshotFault {
    /// Nobody need have touched it: another version of the program or an earlier key made it, or its entry left or moved.
    package var isHonest: Bool { [.earlierKey, .version, .archived, .repaired].contains(self) }

    /// A writer that meets it moves it away: into `quarantine/`.
    var isPutAway: Bool {
        switch self {
        case .unreadable, .untold, .earlierKey: false
        default: true
        }
    }
}

extension SnapshotFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .seal(let fault): fault.description
        case .earlierKey: "an earlier key of this ledger sealed it"
        case .unreadable(let why): why
        case .version: "another version of bulla folded it"
        case .archived: "the entry that it was made at was archived"
        case .repaired: "the entry that it was made at was lost or re-admitted in a repair"
        case .untold(let why): "whether the entry that it was made at stands in this ledger cannot be told: \(why)"
        case .otherHistory: "the entry that it was made at does not stand in this ledger"
        case .state(let why): "its state cannot be coded: \(why)"
        }
    }
}

extension Snapshot {
    private static var label: String { "bulla/1/snapshot\n" }

    /// The canonical bytes of the file.
    package func sealed(with key: SealingKey) throws(SnapshotFault) -> [UInt8] {
        SealedObject(ledger: ledger, key: key.id, try members()).bytes(label: Self.label, key)
    }

    /// What it says.
    func members() throws(SnapshotFault) -> JSONObject {
        let coded: JSON
        do throws(JSONCodingError) { coded = try JSON(encoding: state) } catch { throw .state("\(error)") }
        return [
            "hash": .string(mark.hash.description), "latest": .string(mark.latest.description), "projection": .string(State.name),
            "seq": .number(Double(mark.seq)), "state": coded, "version": .number(Double(State.version)),
        ]
    }

    /// Reads the file's bytes, which the ledger's present key must have sealed.
    ///
    /// - Parameter keys: all that are there, which tell what an earlier one has sealed.
    package init(file bytes: [UInt8], ledger: LedgerID, key: KeyID, keys: [KeyID: SealingKey]) throws(SnapshotFault) {
        let object: SealedObject
        do throws(SealedObjectFault) {
            object = try SealedObject(bytes, label: Self.label, ledger: ledger, keys: keys)
        } catch {
            throw .seal(error)
        }
        guard object.key == key else { throw .earlierKey }
        try self.init(object.members, of: ledger)
    }

    /// Reads what `members` writes.
    init(_ members: JSONObject, of ledger: LedgerID) throws(SnapshotFault) {
        guard members["projection"]?.string == State.name else { throw .seal(.form) }
        guard members["version"]?.integer == Int64(State.version) else { throw .version }
        guard let seq = members["seq"]?.integer.flatMap({ UInt64(exactly: $0) }), (1...Limits.seq).contains(seq),
            let hash = members["hash"]?.string.flatMap({ Digest($0) }),
            let latest = members["latest"]?.string.flatMap({ Timestamp($0) }), let coded = members["state"]
        else { throw .seal(.form) }
        do throws(JSONCodingError) { state = try coded.decoded(as: State.self) } catch { throw .state("\(error)") }
        self.ledger = ledger
        mark = Mark(seq: seq, hash: hash, latest: latest)
    }
}
