package import LedgerFormat

/// Where the anchors of one ledger's directory are kept: a folder of the user, or memory.
package protocol AnchorStore: Sendable {
    /// The ledger's directory, as sightings name it.
    var here: PathText { get }
    func read(_ ledger: LedgerID) -> AnchorFinding
    /// Changes the ledger's anchor; others may do so at the same time. Returns why it could not be kept.
    func update(_ ledger: LedgerID, _ change: (inout Anchor) -> Void) -> String?
}

package enum AnchorFinding: Sendable, Equatable {
    /// Nothing is kept of this ledger.
    case absent
    case found(Anchor)
    /// What is there cannot be used; it says why.
    case unusable(String)
}
