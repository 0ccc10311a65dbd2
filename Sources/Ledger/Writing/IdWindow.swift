import LedgerFormat

/// The idempotency keys of the last entries: what an actor has recorded under an `id` already.
struct IdWindow: Sendable {
    /// What was recorded: the receipt it got, and what a repetition must agree with.
    struct Record: Sendable {
        var receipt: Receipt
        var content: Content
    }

    /// Action, body and justification, as they were sealed.
    struct Content: Sendable, Equatable {
        var action: String
        var body: [UInt8]
        var justification: Justification
    }

    private struct Key: Hashable {
        // Texts are the same if their bytes are; Swift's String would take é and e + ´ for one.
        let actor: [UInt8]
        let id: [UInt8]
    }

    private let size: UInt64
    private var records: [Key: Record] = [:]
    private var seqs: [UInt64: Key] = [:]
    private var oldest: UInt64 = 0

    init(size: UInt64) { self.size = size }

    func record(actor: String, id: String) -> Record? { records[Key(actor: Array(actor.utf8), id: Array(id.utf8))] }

    mutating func insert(actor: String, id: String, _ record: Record) {
        let key = Key(actor: Array(actor.utf8), id: Array(id.utf8))
        if let old = records[key] { seqs[old.receipt.seq] = nil }
        records[key] = record
        seqs[record.receipt.seq] = key
    }

    /// Forgets what lies further behind `tip` than the window reaches.
    mutating func advance(to tip: UInt64) {
        guard tip > size else { return }
        let first = tip - size + 1
        if oldest == 0 || first - oldest > size {
            for (seq, key) in seqs where seq < first { forget(seq, key) }
        } else {
            for seq in oldest..<first { if let key = seqs[seq] { forget(seq, key) } }
        }
        oldest = first
    }

    private mutating func forget(_ seq: UInt64, _ key: Key) {
        seqs[seq] = nil
        records[key] = nil
    }
}

extension IdWindow.Content {
    init(_ draft: Draft) { self.init(action: draft.action, body: draft.body, justification: draft.justification) }

    init(_ entry: Entry) { self.init(action: entry.action, body: entry.body, justification: entry.justification) }
}
