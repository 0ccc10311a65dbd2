import DurableFiles
package import Ledger
package import LedgerFormat

/// Records events; safe to use from many tasks at once, whose events then share a sync (group commit).
///
/// The ledger's lock is taken when something is to be written, kept while appends follow each other closely, and given
/// back when none comes or another process waits for it.
public final class LedgerWriter: Sendable {
    private let committer: GroupCommitter

    init(_ storage: any Storage, anchor: (any AnchorStore)?) { committer = GroupCommitter(storage, .system, anchor: anchor) }

    /// Records one event; returns when it is durable.
    ///
    /// - Throws: `inputOutput` when it was not recorded, or, after a failed sync, when that is unknown: open the ledger
    ///   anew and repeat the event with the same id.
    @discardableResult
    public func append(_ event: Event) async throws(LedgerFailure) -> Receipt {
        let answer: WriterSession.Answer
        do throws(LedgerError) {
            answer = try await committer.append([event.draft])
        } catch {
            throw LedgerFailure(error)
        }
        guard let receipt = answer.receipts.last else { preconditionFailure("one draft, one receipt") }
        return Receipt(receipt)
    }

    /// Records drafts in their order, each for itself, and durable together; what follows one that fails is not recorded.
    package func append(inOrder drafts: [Draft]) async -> [Result<WriterSession.Answer, LedgerError>] {
        await committer.append(inOrder: drafts.map { [$0] })
    }
}
