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
    case form, foreign, earlierKey, mac, version, otherHistory
    /// The state cannot be read, or not be written.
    case state(String)
}

extension SnapshotFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .form: "it has not the form of one"
        case .foreign: "it belongs to another ledger"
        case .earlierKey: "another key than the ledger's present one sealed it"
        case .mac: "its mac does not match: it is damaged or forged"
        case .version: "another version of bulla folded it"
        case .otherHistory: "the entry that it was made at does not stand in this ledger"
        case .state(let why): "its state cannot be coded: \(why)"
        }
    }
}

extension Snapshot {
    private static var label: String { "bulla/1/snapshot\n" }

    /// The canonical bytes of the file.
    package func sealed(with key: SealingKey) throws(SnapshotFault) -> [UInt8] {
        let coded: JSON
        do throws(JSONCodingError) { coded = try JSON(encoding: state) } catch { throw .state("\(error)") }
        var object: JSONObject = [
            "hash": .string(mark.hash.description), "key": .string(key.id.description),
            "latest": .string(mark.latest.description),
            "ledger": .string(ledger.description), "projection": .string(State.name), "seq": .number(Double(mark.seq)),
            "state": coded, "v": 1, "version": .number(Double(State.version)),
        ]
        let mac = key.authenticate(label: Self.label, JSON.object(object).canonicalBytes())
        object["mac"] = .string(mac.description)
        return JSON.object(object).canonicalBytes()
    }

    /// Reads the file's bytes, which `key` must have sealed for `ledger`.
    package init(file bytes: [UInt8], ledger: LedgerID, key: SealingKey) throws(SnapshotFault) {
        guard var object = (try? JSON(parsing: bytes))?.object, let mac = object["mac"]?.string.flatMap({ Digest($0) }),
            object["projection"]?.string == State.name
        else { throw .form }
        guard object["ledger"]?.string == ledger.description else { throw .foreign }
        guard object["key"]?.string == key.id.description else { throw .earlierKey }
        object["mac"] = nil
        guard mac == key.authenticate(label: Self.label, JSON.object(object).canonicalBytes()) else { throw .mac }
        guard object["v"]?.integer == 1, object["version"]?.integer == Int64(State.version) else { throw .version }
        guard let seq = object["seq"]?.integer.flatMap({ UInt64(exactly: $0) }), (1...Limits.seq).contains(seq),
            let hash = object["hash"]?.string.flatMap({ Digest($0) }),
            let latest = object["latest"]?.string.flatMap({ Timestamp($0) }), let coded = object["state"]
        else { throw .form }
        do throws(JSONCodingError) { state = try coded.decoded(as: State.self) } catch { throw .state("\(error)") }
        self.ledger = ledger
        mark = Mark(seq: seq, hash: hash, latest: latest)
    }
}
