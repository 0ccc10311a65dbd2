/// Whose signatures the house asks for, and how many of them: the Managing Associate is M of these N keys.
package struct Associates: Sendable, Equatable {
    /// The entry that last changed anything here. A request names its hash, so that each works once and at one place only.
    package struct Act: Sendable, Equatable {
        package let seq: UInt64
        package let hash: Digest

        package init(seq: UInt64, hash: Digest) {
            self.seq = seq
            self.hash = hash
        }
    }

    /// In the order in which they were named; no key comes twice.
    package internal(set) var keys: [ActorKey]
    /// How many of them must sign: M.
    package internal(set) var threshold: Int
    package internal(set) var act: Act
    /// A repair came: until a release is signed, which names all keys anew, nothing else counts.
    package internal(set) var isSuspended = false
    /// Keys that count no more, although what removed them was lost: a repair says so, and the release drops them.
    package internal(set) var withdrawn: [ActorKey] = []
    /// What they have adopted; nil while the standard articles hold.
    package internal(set) var constitution: Constitution?

    /// All of them, and as many signatures, must fit into one entry.
    package static let countMax = 64

    /// Those with whom a ledger begins.
    ///
    /// - Parameter act: the first entry.
    package init(_ keys: [ActorKey], threshold: Int, act: Act) throws(AssociateObjection) {
        guard keys.count <= Self.countMax else { throw .tooMany }
        for (index, key) in keys.enumerated() where keys[..<index].contains(key) { throw .named(key) }
        guard (1...max(1, keys.count)).contains(threshold), !keys.isEmpty else {
            throw .threshold(threshold, of: keys.count)
        }
        self.keys = keys
        self.threshold = threshold
        self.act = act
    }

    /// Whose signatures count.
    package var signers: [ActorKey] { keys.filter { !withdrawn.contains($0) } }
}
