package import CanonicalJSON

/// What associates sign: one verb with its arguments, for one ledger, behind one act, until a time. It works once.
package struct SignedRequest: Sendable, Equatable {
    package enum Verb: String, Sendable, CaseIterable {
        case add = "associate.add"
        case remove = "associate.remove"
        case release = "alert.release"
        case adopt = "constitution.adopt"
        case approvePatch = "patch.approve"
        case revertPatch = "patch.revert"
        case forceLane = "lane.force"

        /// Of the entry that carries it out.
        package var action: String {
            switch self {
            case .add: "associate.added"
            case .remove: "associate.removed"
            case .release: "alert.released"
            case .adopt: "constitution.adopted"
            case .approvePatch: "patch.approved"
            case .revertPatch: "patch.reverted"
            case .forceLane: "lane.forced"
            }
        }
    }

    package struct Signature: Sendable, Equatable {
        package let key: ActorKey
        let signature: ActorSignature
    }

    package let verb: Verb
    package let ledger: LedgerID
    package let arguments: JSONObject
    /// The hash of the last act, which is an ancestor of the tip.
    package let base: Digest
    /// 32 hexadecimal digits: no two requests are the same.
    package let nonce: String
    /// Compared with the greater of the wall clock and the last entry's time.
    package let expires: Timestamp
    package private(set) var signatures: [Signature] = []

    package init(
        _ verb: Verb, _ arguments: JSONObject, in ledger: LedgerID, base: Digest, nonce: String, expires: Timestamp
    ) {
        self.verb = verb
        self.arguments = arguments
        self.ledger = ledger
        self.base = base
        self.nonce = nonce
        self.expires = expires
    }

    /// Why it is asked for, as those who sign read it.
    package var reason: String { arguments["reason"]?.string ?? "" }
}

// Signing
extension SignedRequest {
    private static let label = "bulla/1/request\n"

    /// The bytes that are signed. Of the arguments it is their digest, so that a short text stands for any of them.
    var signedText: [UInt8] {
        let digest = Digest(sha256: JSON.object(arguments).canonicalBytes().span)
        let text: JSON = [
            "arguments": .string(digest.description), "base": .string(base.description), "expires": .string(expires.description),
            "ledger": .string(ledger.description), "nonce": .string(nonce), "verb": .string(verb.rawValue),
        ]
        return Array(Self.label.utf8) + text.canonicalBytes()
    }

    /// Signs it; whoever has signed it already, does not twice.
    package mutating func sign(with signer: ActorSigner) {
        guard !signatures.contains(where: { $0.key == signer.key }) else { return }
        signatures.append(Signature(key: signer.key, signature: signer.sign(signedText)))
    }

    /// Takes over what others have signed of the same request; false if it is another one.
    package mutating func merge(_ other: SignedRequest) -> Bool {
        guard signedText == other.signedText else { return false }
        for signature in other.signatures where !signatures.contains(signature) { signatures.append(signature) }
        return true
    }
}

// As it travels, and as an entry holds it (FORMAT.md §4.8)
extension SignedRequest {
    package var json: JSON {
        [
            "arguments": .object(arguments), "base": .string(base.description), "expires": .string(expires.description),
            "ledger": .string(ledger.description), "nonce": .string(nonce),
            "signatures": .array(
                signatures.map { ["key": .string($0.key.description), "sign": .string($0.signature.text)] }),
            "verb": .string(verb.rawValue),
        ]
    }

    /// Reads one; nil if it has not the form.
    package init?(_ json: JSON) {
        guard json.object?.members.count == 7, let verb = json["verb"]?.string.flatMap(Verb.init(rawValue:)),
            let arguments = json["arguments"]?.object, let ledger = json["ledger"]?.string.flatMap({ LedgerID($0) }),
            let base = json["base"]?.string.flatMap({ Digest($0) }), let nonce = json["nonce"]?.string,
            Hex.bytes(of: Array(nonce.utf8).span)?.count == Self.nonceByteCount,
            let expires = json["expires"]?.string.flatMap({ Timestamp($0) }), let items = json["signatures"]?.array,
            items.count <= Associates.countMax
        else { return nil }
        self.init(verb, arguments, in: ledger, base: base, nonce: nonce, expires: expires)
        for item in items {
            guard item.object?.members.count == 2, let key = item["key"]?.string.flatMap({ ActorKey(sealed: $0) }),
                let signature = item["sign"]?.string.flatMap({ ActorSignature($0) })
            else { return nil }
            signatures.append(Signature(key: key, signature: signature))
        }
        // A larger one would not fit into an entry with what is said besides.
        guard json.canonicalBytes().count <= Self.byteCountMax else { return nil }
    }

    /// Whether so many more signatures fit.
    package func leavesRoom(forSignatures count: Int) -> Bool {
        json.canonicalBytes().count + count * Self.signatureByteCount <= Self.byteCountMax
    }

    /// `{"key":"…","sign":"…"},`
    private static let signatureByteCount = 20 + 2 * ActorKey.byteCount + ActorSignature.digitCount
    private static let nonceByteCount = 16
    package static let byteCountMax = 64 << 10
    package static let reasonByteCountMax = 4 << 10
}
