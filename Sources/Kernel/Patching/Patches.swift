import LedgerFormat

/// All patches of handbooks, and what became of each: folded from `patch` entries.
///
/// Bounded, whatever the ledger holds: of the patches above a number those that are done with are forgotten, the oldest first.
package struct Patches: Projection, Equatable {
    package static let name = "patches"
    package static let version = 2
    package static let namespaces = ["patch"]

    /// In the order in which they were proposed.
    package internal(set) var patches: [Patch] = []
    package internal(set) var forgottenCount: UInt64 = 0

    package init() {}

    /// With names and texts of the worst kind they fit into one entry.
    package static let countMax = 192
    /// Whoever proposes more than anybody looks at is told so.
    package static let openCountMax = 64
    /// Of one author, and not signed: nobody has all the room.
    package static let unsignedCountMax = 16

    package subscript(_ seq: UInt64) -> Patch? { patches.first { $0.seq == seq } }

    /// The patch of which associates signed last, of a handbook.
    package func newest(of handbook: HandbookName) -> Patch? {
        let signed = patches.filter { $0.act != nil && $0.stage != .rejected && $0.isOf(handbook.text) }
        return signed.max { $0.act ?? 0 < $1.act ?? 0 }
    }

    package var openCount: Int { patches.count { $0.isOpen } }
    /// Signed, and not known to be done.
    package var pending: [Patch] { patches.filter(\.isPending) }
}
