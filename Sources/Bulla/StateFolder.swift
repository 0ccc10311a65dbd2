import Ledger

/// Where the highest entry that was seen of a ledger is kept, outside its directory.
public struct StateFolder: Sendable {
    private enum Kind: Sendable {
        case standard, none
        case at(String)
    }

    private let kind: Kind

    /// The user's: `$BULLA_STATE_DIR`, else `bulla` in `$XDG_STATE_HOME` or `~/.local/state`; none with `BULLA_ANCHOR=off`.
    public static let standard = StateFolder(kind: .standard)
    /// Nothing is kept, and a step back of the ledger is not noticed.
    public static let none = StateFolder(kind: .none)
    /// A folder of the program's own; it is made when it is needed.
    public static func at(_ path: String) -> StateFolder { StateFolder(kind: .at(path)) }

    func anchor(of ledger: String) -> AnchorFolder? {
        switch kind {
        case .standard: AnchorFolder(ledger: ledger, .system)
        case .none: nil
        case .at(let path): AnchorFolder(path + "/anchors", ledger: ledger, .system)
        }
    }
}
