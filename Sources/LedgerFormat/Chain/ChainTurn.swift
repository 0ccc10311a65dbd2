import CanonicalJSON
import PlantedDefects

/// What the few entries say after which a chain goes on otherwise: under another key, behind a gap, or with other actors (FORMAT.md §4.1).
///
/// Boxed: a verifier has room for one with every frame, and nearly none is one.
package indirect enum ChainTurn: Sendable, Equatable {
    /// The entries behind it are sealed with this key, which proves itself.
    case rotation(to: KeyID, proof: Digest)
    /// All that this key has sealed was verified: its file is needed no more.
    case retirement(of: KeyID)
    /// These seqs are missing for good; nil if none are.
    case repair(gap: ClosedRange<UInt64>?)
    /// These segments left the ledger, which may begin behind any of them.
    case archive(ArchiveStatement)
    /// Who is enrolled, and who signs for the house.
    case roster(RosterStatement)

    package static let rotated = "key.rotated"
    package static let retired = "key.retired"
    package static let repaired = "ledger.repaired"
}

extension ChainTurn {
    /// Reads the entry; nil if its action is one of these and its body has not the form.
    init?(_ frame: FrameView, _ bytes: Span<UInt8>) {
        guard let body = try? JSON(parsing: bytes.extracting(frame.body)).object else { return nil }
        switch bytes.text(frame.action) {
        case Self.rotated:
            guard let key = body["key"]?.string.flatMap(KeyID.init(_:)),
                let proof = body["proof"]?.string.flatMap(Digest.init(_:))
            else { return nil }
            self = .rotation(to: key, proof: proof)
        case Self.retired:
            guard let key = body["key"]?.string.flatMap(KeyID.init(_:)) else { return nil }
            self = .retirement(of: key)
        case Self.repaired:
            if body["roster"] != nil, RosterStatement(action: Self.repaired, body: body) == nil { return nil }
            guard let gap = body["gap"] else {
                self = .repair(gap: nil)
                return
            }
            guard let first = gap["first"]?.integer, let last = gap["last"]?.integer, gap.object?.members.count == 2, first >= 1,
                first <= last, UInt64(last) <= Limits.seq
            else { return nil }
            self = .repair(gap: UInt64(first)...UInt64(last))
        case ArchiveStatement.action:
            guard let statement = ArchiveStatement(body: body), statement.last < frame.seq else { return nil }
            self = .archive(statement)
        case let action:
            guard let statement = RosterStatement(action: action, body: body) else { return nil }
            self = .roster(statement)
        }
    }
}

extension ChainTurn {
    /// Whether the action is one of these: a comparison of lengths for nearly every frame.
    @inline(__always)
    static func isAction(_ bytes: Span<UInt8>, _ action: Range<Int>) -> Bool {
        if action.count == 11 {
            return bytes.holds("key.rotated", at: action.lowerBound) || bytes.holds("key.retired", at: action.lowerBound)
                || bytes.holds("lane.forced", at: action.lowerBound)
        }
        if (12...14).contains(action.count), bytes.holds("actor.", at: action.lowerBound) {
            return bytes.holds("stated\"", at: action.lowerBound + 6) || bytes.holds("revoked\"", at: action.lowerBound + 6)
                || bytes.holds("enrolled\"", at: action.lowerBound + 6)
        }
        return action.count == 15
            && (bytes.holds("ledger.repaired", at: action.lowerBound) || bytes.holds("ledger.archived", at: action.lowerBound)
                || bytes.holds("associate.added", at: action.lowerBound))
            || action.count == 14
                && (bytes.holds("alert.released", at: action.lowerBound) || bytes.holds("patch.approved", at: action.lowerBound)
                    || bytes.holds("patch.reverted", at: action.lowerBound))
            || action.count == 17 && bytes.holds("associate.removed", at: action.lowerBound)
            || action.count == 20 && bytes.holds("constitution.adopted", at: action.lowerBound)
    }
}

extension FrameView {
    /// The seqs that this entry, a repair, says are missing.
    package func gap(in bytes: Span<UInt8>) -> ClosedRange<UInt64>? {
        guard isTurn, case .repair(let gap) = ChainTurn(self, bytes) else { return nil }
        return gap
    }

    /// What this entry says of segments that left the ledger.
    package func archived(in bytes: Span<UInt8>) -> ArchiveStatement? {
        guard isTurn, case .archive(let statement) = ChainTurn(self, bytes) else { return nil }
        return statement
    }

    /// The key that this entry introduces.
    package func introducedKey(in bytes: Span<UInt8>) -> KeyID? {
        guard isTurn, case .rotation(let key, _) = ChainTurn(self, bytes) else { return nil }
        return key
    }

    /// The key that this entry retires.
    package func retiredKey(in bytes: Span<UInt8>) -> KeyID? {
        guard isTurn, case .retirement(let key) = ChainTurn(self, bytes) else { return nil }
        return key
    }
}

extension SealingKey {
    private static let introductionLabel = "bulla/1/key-introduction\n"

    /// What shows that whoever introduces this key has it: a MAC that names the ledger and the key that it follows.
    package func proof(in ledger: LedgerID, after key: KeyID) -> Digest {
        authenticate(label: Self.introductionLabel, Array("\(ledger)\(key)".utf8))
    }
}

/// What is known of keys from the entries that were verified.
struct KeyRoster: Sendable {
    /// Keys that were not there, so that the SIGs of their entries were not checked.
    private(set) var unchecked: Set<KeyID> = []
    private var introduced: Set<KeyID> = []
    /// The keys that sealed the entries by which a key is retired.
    private var retirers: [KeyID: Set<KeyID>] = [:]

    /// Those of them that are needed: what a retired key has sealed, the entry that retires it vouches for, retirements included.
    var absent: Set<KeyID> {
        var absent = unchecked
        while let spared = absent.first(where: { !(retirers[$0] ?? []).isSubset(of: absent) }) { absent.remove(spared) }
        return absent
    }

    /// The same, each with the keys that sealed its retirement: what a walk that goes on later has to know of this one.
    var absences: [KeyID: Set<KeyID>] {
        var absences: [KeyID: Set<KeyID>] = [:]
        for key in absent { absences[key] = retirers[key] ?? [] }
        return absences
    }

    mutating func carry(_ absences: [KeyID: Set<KeyID>]) {
        unchecked.formUnion(absences.keys)
        retirers.merge(absences) { $0.union($1) }
    }

    mutating func noteUnchecked(_ key: KeyID) { unchecked.insert(key) }
    mutating func retire(_ key: KeyID, by retirer: KeyID) { retirers[key, default: []].insert(retirer) }

    mutating func introduce(_ key: KeyID) { introduced.insert(key) }

    /// No key comes a second time.
    func allows(_ key: KeyID) -> Bool { !introduced.contains(key) || planted(.keyReintroduced) }

    /// With what a piece behind this one has found; nil if that introduces a key again.
    func joined(with next: KeyRoster) -> KeyRoster? {
        guard introduced.isDisjoint(with: next.introduced) || planted(.keyReintroduced) else { return nil }
        var joined = self
        joined.unchecked.formUnion(next.unchecked)
        joined.introduced.formUnion(next.introduced)
        joined.retirers.merge(next.retirers) { $0.union($1) }
        return joined
    }
}
