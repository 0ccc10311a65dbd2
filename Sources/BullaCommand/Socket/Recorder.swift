import Ledger
import LedgerFormat

/// Where a verb's entries go: to the ledger itself, or to the server that has it.
struct Recorder {
    /// Nil at a server. Changed in place: a second owner would make it copy what it knows.
    private var session: WriterSession?
    private let client: SocketClient?
    /// Signs what goes to a server; a session signs by its settings.
    private var signer: ActorSigner?

    typealias Answer = WriterSession.Answer

    init(_ session: WriterSession) {
        self.session = session
        client = nil
    }

    init(_ client: SocketClient, _ signer: ActorSigner? = nil) {
        self.client = client
        self.signer = signer
    }

    /// Records one decision; what should be told besides goes to stderr.
    mutating func record(_ drafts: [Draft]) throws(LedgerError) -> Answer {
        try acquire()
        return try finish(drafts)
    }

    /// The same under a lock that is held already.
    mutating func finish(_ drafts: [Draft]) throws(LedgerError) -> Answer {
        if let answer = try session?.finish(drafts) { return answer }
        return try submit([drafts])[0].get()
    }

    /// Takes the lock, if there is one to take, and gives the key for a redactor's digests.
    ///
    /// The server's key does not leave it: for its clients a fresh one, which is then forgotten, makes equal secrets look equal
    /// within one run alone.
    mutating func prepare() throws(LedgerError) -> SealingKey {
        try acquire()
        if session != nil {
            guard let key = session?.sealingKey else { preconditionFailure("a session that holds the lock has a key") }
            return key
        }
        return SealingKey(
            bytes: (0..<SealingKey.byteCount).map { _ in UInt8(truncatingIfNeeded: Environment.system.random()) })
    }
}

// What a stream of batches needs. A server knows no lock of its clients, and its answers are final.
extension Recorder {
    var isHolding: Bool { session?.isHolding ?? false }

    func isWantedByOthers() -> Bool { session?.isWantedByOthers() ?? false }

    mutating func acquire() throws(LedgerError) { try session?.acquire() }

    mutating func submit(_ decisions: [[Draft]]) -> [Result<Answer, LedgerError>] {
        guard let client else { return session?.submit(decisions) ?? [] }
        do throws(LedgerError) {
            return client.record(try signed(decisions, client))
        } catch {
            return [.failure(error)]
        }
    }

    /// The server tells which ledger it has, and its last entry: that is the base.
    private func signed(_ decisions: [[Draft]], _ client: SocketClient) throws(LedgerError) -> [[Draft]] {
        guard let signer else { return decisions }
        let tip = try client.tip()
        return decisions.map { drafts in
            drafts.map { draft in
                if draft.isSigned { return draft }
                return draft.signed(by: signer, in: tip.ledger, base: tip.seq, id: Environment.system.randomText())
            }
        }
    }

    mutating func settle() -> [Result<Answer, LedgerError>] { session?.settle() ?? [] }

    mutating func release() { session?.release() }

    mutating func takeNotices() -> [String] { session?.takeNotices() ?? [] }
}
