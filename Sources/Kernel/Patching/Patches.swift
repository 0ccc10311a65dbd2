import LedgerFormat
import PlantedDefects

/// All patches of handbooks, and what became of each; and beside them what associates signed last for each handbook. Folded from `patch`
/// entries, and from those that tell of a loss.
///
/// Bounded, whatever the ledger holds: of the patches above a number those that are done with are forgotten, the oldest first; of the texts
/// above a number the one that was signed first. No proposal makes a text forgotten, and nobody puts back one that is.
package struct Patches: Projection, Equatable {
    package static let name = "patches"
    package static let version = 3
    package static let namespaces = ["patch", "ledger", "anchor"]

    /// In the order in which they were proposed.
    package internal(set) var patches: [Patch] = []
    /// In the order in which they were signed; of each handbook one.
    var texts: [SignedText] = []
    /// The last entry that tells that others were lost, or may have been; 0 if none does. What was signed before it may not be what was
    /// signed last, and may be done or given up: nothing is carried out or put back for it.
    package internal(set) var lossSeq: UInt64 = 0
    package internal(set) var forgottenCount: UInt64 = 0

    package init() {}

    /// With names and texts of the worst kind they fit into one entry, together with the texts.
    package static let countMax = 192
    package static let textCountMax = 128
    /// Whoever proposes more than anybody looks at is told so.
    package static let openCountMax = 64
    /// Of one author, and not signed: nobody has all the room.
    package static let unsignedCountMax = 16

    package subscript(_ seq: UInt64) -> Patch? { patches.first { $0.seq == seq } }

    /// What associates signed last for a handbook; nil where nobody knows that.
    package func text(of handbook: HandbookName) -> SignedText? { texts.first { $0.isOf(handbook.text) && counts($0) } }

    /// Signed, and not known to be done.
    package var pending: [SignedText] { texts.filter { $0.isPending && counts($0) } }

    private func counts(_ text: SignedText) -> Bool { text.act.seq > lossSeq || planted(.lossForgotten) }

    package var openCount: Int { patches.count { isOpen($0) } }
}

// What became of a patch
extension Patches {
    package enum Standing: String, Sendable {
        case proposed
        /// Signed, and a crash may have come before the handbook was replaced.
        case approved, reverting
        /// Its handbook is being put back.
        case restoring
        case applied, reverted, rejected
        /// Signed before a loss, and nothing that is left tells that it was carried out, or given up.
        case unknown
    }

    package func standing(of patch: Patch) -> Standing {
        let isPending = pending.contains { $0.act.proposal == patch.seq }
        return switch patch.stage {
        case .proposed: .proposed
        case .approved: isPending ? .approved : .unknown
        case .reverting: isPending ? .reverting : .unknown
        case .applied: isPending ? .restoring : .applied
        case .reverted: isPending ? .restoring : .reverted
        case .rejected: .rejected
        }
    }

    /// It wants something to be done still.
    package func isOpen(_ patch: Patch) -> Bool {
        switch standing(of: patch) {
        case .proposed, .approved, .reverting, .restoring, .unknown: true
        case .applied, .reverted, .rejected: false
        }
    }
}

extension Patches.Standing {
    /// Behind "patch 12".
    package var told: String {
        switch self {
        case .proposed: "is proposed, and nobody has signed it yet"
        case .approved: "is approved, and its handbook is not changed yet"
        case .reverting: "is to be taken back, and its handbook is not changed yet"
        case .restoring: "is signed, and its handbook is still to be put back"
        case .applied: "is applied already"
        case .reverted: "was taken back"
        case .rejected: "was rejected"
        case .unknown: "was signed before entries were lost, or may have been, and what became of it nobody can tell"
        }
    }
}
