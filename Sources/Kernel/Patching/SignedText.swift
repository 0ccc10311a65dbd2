package import LedgerFormat

/// The text that associates signed last for a handbook, and whether the handbook has it: what only a signature changes.
package struct SignedText: Sendable, Equatable {
    package let handbook: String
    package let act: Act
    /// Not known to be done.
    package internal(set) var isPending = true
    /// The handbook is being put back to it: the digest of what stood there, zeros for nothing; nil if it is not.
    package internal(set) var restoring: Digest?
    /// What it follows on: the handbook's text if this one is given up.
    let earlier: Act?

    package struct Act: Sendable, Equatable, Codable {
        /// Of the entry that holds both texts.
        package let seq: UInt64
        /// The patch.
        package let proposal: UInt64
    }

    init(_ handbook: String, _ act: Act, after earlier: Act?) {
        (self.handbook, self.act, self.earlier) = (handbook, act, earlier)
    }

    /// Names are the same if their bytes are.
    func isOf(_ handbook: String) -> Bool { self.handbook.utf8.elementsEqual(handbook.utf8) }

    mutating func finish() { (isPending, restoring) = (false, nil) }

    /// What is left of it where nobody carries it out any more; nil for nothing.
    var givenUp: SignedText? {
        var left = restoring == nil ? earlier.map { SignedText(handbook, $0, after: nil) } : self
        left?.finish()
        return left
    }

    /// Behind "patch 12".
    package var told: String {
        restoring == nil
            ? "is signed, and its handbook is not changed yet" : "is applied, and its handbook is still to be put back"
    }
}

// A snapshot holds it.
extension SignedText: Codable {
    private enum Key: String, CodingKey { case act, earlier, handbook, pending, restoring }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        handbook = try values.decode(String.self, forKey: .handbook)
        act = try values.decode(Act.self, forKey: .act)
        earlier = try values.decodeIfPresent(Act.self, forKey: .earlier)
        isPending = try values.decode(Bool.self, forKey: .pending)
        restoring = try values.decodeIfPresent(String.self, forKey: .restoring).map { text in
            guard let digest = Digest(text) else {
                throw DecodingError.dataCorruptedError(forKey: .restoring, in: values, debugDescription: "it is no digest")
            }
            return digest
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(handbook, forKey: .handbook)
        try values.encode(act, forKey: .act)
        try values.encodeIfPresent(earlier, forKey: .earlier)
        try values.encode(isPending, forKey: .pending)
        try values.encodeIfPresent(restoring?.description, forKey: .restoring)
    }
}
