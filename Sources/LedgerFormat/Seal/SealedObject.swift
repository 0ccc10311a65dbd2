package import CanonicalJSON
import PlantedDefects

/// A JSON object with a MAC of its own, as caches and plans lie beside the ledger: only a holder of the key can have written it.
///
/// The file is canonical JSON, `{"key":…,"ledger":…,"mac":…,"v":1}` and what else its kind has. The MAC is over the object without
/// `mac`, behind a label that separates each kind from every other.
package struct SealedObject: Sendable, Equatable {
    package let ledger: LedgerID
    package let key: KeyID
    /// The members of this kind, besides the four that all have.
    package let members: JSONObject

    /// - Parameter members: must not have the names of the four.
    package init(ledger: LedgerID, key: KeyID, _ members: JSONObject) {
        self.ledger = ledger
        self.key = key
        self.members = members
    }

    /// The file's bytes, with the MAC under `key`.
    package func bytes(label: String, _ key: SealingKey) -> [UInt8] { sealed(label, key).bytes }

    /// The members are written once, and the MAC is put among them: a state may have megabytes.
    private func sealed(_ label: String, _ key: SealingKey) -> (mac: Digest, bytes: [UInt8]) {
        var object = members
        object["key"] = .string(self.key.description)
        object["ledger"] = .string(ledger.description)
        object["v"] = 1
        let text = JSON.object(object).canonicalBytes()
        let mac = key.authenticate(label: label, text)
        // `key` and `ledger` come first. Where they and what else does end, but for the brace, is its place.
        let before = object.members.prefix { $0.key.utf16.lexicographicallyPrecedes("mac".utf16) }
        let place = JSON.object(JSONObject(before.map { ($0.key, $0.value) })).canonicalBytes().count - 1
        return (mac, Array(text[..<place]) + ",\"mac\":\"\(mac)\"".utf8 + text[place...])
    }

    /// Reads a file's bytes, which must be what `bytes` writes.
    ///
    /// - Parameters:
    ///   - ledger: which it must name; nil for any.
    ///   - keys: one of them must have sealed it.
    package init(
        _ bytes: [UInt8], label: String, ledger: LedgerID? = nil, keys: [KeyID: SealingKey], depthMax: Int = Limits.depth
    ) throws(SealedObjectFault) {
        guard var object = (try? JSON(parsing: bytes, maximumDepth: depthMax))?.object, object["v"]?.integer == 1,
            let named = object["ledger"]?.string.flatMap({ LedgerID($0) }),
            let key = object["key"]?.string.flatMap({ KeyID($0) }),
            let mac = object["mac"]
        else { throw .form }
        guard named == ledger ?? named else { throw .foreign }
        guard let sealing = keys[key] else { throw .otherKey }
        for name in ["key", "ledger", "mac", "v"] { object[name] = nil }
        self.init(ledger: named, key: key, object)
        let expected = sealed(label, sealing)
        if planted(.sealedObjectUnchecked) { return }
        guard mac == .string(expected.mac.description) else { throw .mac }
        // What is not canonical is not what a writer writes.
        guard expected.bytes == bytes else { throw .form }
    }
}

/// Why a sealed object is not believed.
package enum SealedObjectFault: Error, Sendable, Equatable {
    case form, mac
    /// Another ledger's.
    case foreign
    /// Sealed with none of the given keys.
    case otherKey
}

extension SealedObjectFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .form: "it has not the form of one"
        case .mac: "its mac does not match"
        case .foreign: "it belongs to another ledger"
        case .otherKey: "it was sealed with another key, as all is before a rotation"
        }
    }
}
