/// State that is folded from the ledger's entries: one value, the same wherever the same entries are folded.
///
/// `apply` is pure: it reads no clock, draws no random number and opens no file. The value is `Codable` so that snapshots can hold
/// it; a snapshot counts only for the version that wrote it.
package protocol Projection: Codable, Sendable {
    /// What its snapshots are called: lower-case letters.
    static var name: String { get }
    /// Raised whenever the same entries would be folded to something else, or the value is coded otherwise.
    static var version: Int { get }
    /// The first words of the actions that it folds; entries of others are not shown to it.
    static var namespaces: [String] { get }

    /// The state before the first entry.
    init()
    mutating func apply(_ fact: Fact)
}
