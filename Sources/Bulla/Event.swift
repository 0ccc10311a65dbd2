import CanonicalJSON
import LedgerFormat

/// The purpose that an entry's justification names.
public enum Pillar: String, Sendable, CaseIterable {
    case sovereignty, integrity, resilience, evolution
}

/// What a program wants recorded.
public struct Event: Sendable {
    let draft: Draft

    /// - Parameters:
    ///   - action: dotted verb, `[a-z0-9_]+(\.[a-z0-9_]+)*`, 256 bytes at most; the house's own names are refused.
    ///   - actor: who, `kind:name`, 256 bytes at most; `service:bulla` is the house's own.
    ///   - body: a JSON object as text; it is recorded in canonical form (RFC 8785).
    ///   - id: an idempotency key of 1 to 256 bytes, unique per actor: the same event with the same id is recorded once.
    /// - Throws: `usage` with the reason and, for JSON, the byte; `refused` for a name that is the house's own.
    public init(
        action: String, actor: String, pillar: Pillar, reason: String, body: String = "{}", id: String? = nil
    ) throws(LedgerFailure) {
        guard !ReservedNames.contains(action: action) else {
            throw LedgerFailure(code: .refused, message: DraftError.reservedAction(action).description)
        }
        guard let known = Justification.Pillar(rawValue: pillar.rawValue) else { preconditionFailure("the pillars are the same") }
        do throws(DraftError) {
            let text = Array(body.utf8)
            draft = try Draft(
                action: action, actor: actor, justification: Justification(known, reason), bodyText: text.span,
                context: id.map { ["id": .string($0)] } ?? [:])
        } catch {
            throw LedgerFailure(code: .usage, message: error.description)
        }
        if draft.borrowsHouseName { throw LedgerFailure(code: .refused, message: DraftError.houseName.description) }
    }
}

/// What an append answers. Kept elsewhere, it later proves a rollback, a truncation or a fork.
public struct Receipt: Sendable, Hashable, CustomStringConvertible {
    private let receipt: LedgerFormat.Receipt

    init(_ receipt: LedgerFormat.Receipt) { self.receipt = receipt }

    /// The ledger's 128-bit id in lower-case hexadecimal.
    public var ledger: String { receipt.ledger.description }
    /// The entry's number, from 1.
    public var seq: UInt64 { receipt.seq }
    /// SHA-256 of the sealed entry in lower-case hexadecimal.
    public var hash: String { receipt.hash.description }
    /// RFC 3339, UTC, microseconds.
    public var time: String { receipt.time.description }
    /// One line without spaces: what `bulla verify --receipt` reads.
    public var line: String { receipt.line }

    /// The line.
    public var description: String { line }
}
