package import CanonicalJSON

/// What the first entry of a ledger builds on whose earlier segments were archived: taken on trust until an entry explains it.
package struct ChainBase: Sendable, Equatable {
    /// The seq that is expected there.
    package var seq: UInt64
    /// What that entry names as the hash of the one before.
    package var previousHash: Digest
    /// What seals it.
    package var key: KeyID

    package init(seq: UInt64, previousHash: Digest, key: KeyID) {
        self.seq = seq
        self.previousHash = previousHash
        self.key = key
    }
}

/// What a `ledger.archived` says: which segments left the ledger, and what they tell of keys (FORMAT.md §4.4).
///
/// Each segment is named with its end, so that the ledger is explained wherever the removing of them stopped.
package struct ArchiveStatement: Sendable, Equatable {
    package struct Segment: Sendable, Equatable {
        /// The seq that the file is named after, and its last entry's.
        package var first: UInt64
        package var last: UInt64
        package var byteCount: Int
        /// SHA-256 of the file.
        package var digest: Digest
        /// The last entry's hash, and the key that the chain calls for behind it.
        package var tip: Digest
        package var key: KeyID

        package init(first: UInt64, last: UInt64, byteCount: Int, digest: Digest, tip: Digest, key: KeyID) {
            self.first = first
            self.last = last
            self.byteCount = byteCount
            self.digest = digest
            self.tip = tip
            self.key = key
        }
    }

    /// A key that an archived entry introduced, here or in an earlier archive.
    package struct Key: Sendable, Equatable {
        package var key: KeyID
        /// The entry that introduces it; the first entry's seq for the first key.
        package var introduced: UInt64
        /// The entry that retires it; 0 if none did so far.
        package var retired: UInt64

        package init(key: KeyID, introduced: UInt64, retired: UInt64 = 0) {
            self.key = key
            self.introduced = introduced
            self.retired = retired
        }
    }

    /// In their order, without a gap; at least one.
    package var segments: [Segment]
    /// In the order of their introduction.
    package var keys: [Key]

    package init(segments: [Segment], keys: [Key]) {
        precondition(!segments.isEmpty, "who archives nothing records nothing")
        self.segments = segments
        self.keys = keys
    }

    package static let action = "ledger.archived"
    /// So many fit into one entry.
    package static let segmentCountMax = 2000

    package var first: UInt64 { segments[0].first }
    package var last: UInt64 { segments[segments.count - 1].last }
    package var byteCount: Int { segments.reduce(0) { $0 + $1.byteCount } }

    /// Whether a ledger may begin so: behind the end of one of the segments, and with the key that is called for there.
    package func explains(_ base: ChainBase) -> Bool {
        segments.contains { $0.last + 1 == base.seq && $0.tip == base.previousHash && $0.key == base.key }
    }

    /// The keys that were introduced before a ledger's first entry; not the one that seals it.
    package func keys(before base: ChainBase) -> [KeyID] {
        keys.filter { $0.introduced < base.seq && $0.key != base.key }.map(\.key)
    }
}

// The body of the entry
extension ArchiveStatement {
    /// The members that the format asks for; the entry may have others besides.
    package var members: JSONObject {
        [
            "keys": .array(
                keys.map {
                    [
                        "introduced": .number(Double($0.introduced)), "key": .string($0.key.description),
                        "retired": .number(Double($0.retired)),
                    ]
                }),
            "segments": .array(
                segments.map {
                    [
                        "bytes": .number(Double($0.byteCount)), "first": .number(Double($0.first)),
                        "key": .string($0.key.description), "last": .number(Double($0.last)),
                        "sha256": .string($0.digest.description), "tip": .string($0.tip.description),
                    ]
                }),
        ]
    }

    /// Reads a body; nil if it has not the form.
    package init?(body: JSONObject) {
        guard let segments = body["segments"]?.array?.map(Segment.init(_:)), let keys = body["keys"]?.array?.map(Key.init(_:)),
            !segments.isEmpty, segments.allSatisfy({ $0 != nil }), keys.allSatisfy({ $0 != nil })
        else { return nil }
        self.init(segments: segments.compactMap(\.self), keys: keys.compactMap(\.self))
        guard zip(self.segments, self.segments.dropFirst()).allSatisfy({ $0.last + 1 == $1.first }) else { return nil }
    }
}

extension ArchiveStatement.Segment {
    fileprivate init?(_ json: JSON) {
        guard json.object?.members.count == 6, let first = json["first"]?.seq, let last = json["last"]?.seq, first <= last,
            let byteCount = json["bytes"]?.integer, byteCount >= 0, byteCount <= Int64(Limits.seq),
            let digest = json["sha256"]?.string.flatMap({ Digest($0) }), let tip = json["tip"]?.string.flatMap({ Digest($0) }),
            let key = json["key"]?.string.flatMap({ KeyID($0) })
        else { return nil }
        self.init(first: first, last: last, byteCount: Int(byteCount), digest: digest, tip: tip, key: key)
    }
}

extension ArchiveStatement.Key {
    fileprivate init?(_ json: JSON) {
        guard json.object?.members.count == 3, let key = json["key"]?.string.flatMap({ KeyID($0) }),
            let introduced = json["introduced"]?.seq, let retired = json["retired"]?.integer, retired >= 0,
            retired <= Int64(Limits.seq)
        else { return nil }
        self.init(key: key, introduced: introduced, retired: UInt64(retired))
    }
}
