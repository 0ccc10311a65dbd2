/// A path of a ledger that an attacker swaps.
enum RaceTarget: String, CaseIterable, Sendable {
    case head = "HEAD"
    case key
    case segment = "active segment"
    case ledger = "ledger/"
    case keys = "keys/"
    case base
    case above = "directory above the base"

    var isDirectory: Bool { ![.head, .key, .segment].contains(self) }
}

/// What the attacker puts in its place.
enum RaceDisguise: String, CaseIterable, Sendable {
    /// To a copy outside that looks right in everything.
    case symbolicLink = "symbolic link"
    /// Of a file outside that looks right in everything.
    case hardLink = "hard link"
    case fifo = "FIFO"
    case regularFile = "regular file"
    /// An earlier state, with every right to be written to.
    case olderCopy = "older copy"
    case nothing

    /// A directory has no hard links.
    static func fitting(_ target: RaceTarget) -> [RaceDisguise] { allCases.filter { !target.isDirectory || $0 != .hardLink } }
}
