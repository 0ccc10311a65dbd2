import LedgerFormat
import PlantedDefects

/// The idempotency keys of the last entries: what an actor has recorded under an `id` already.
struct IdWindow: Sendable {
    /// What was recorded: the receipt it got, and what a repetition must agree with.
    struct Record: Sendable {
        var receipt: Receipt
        var content: Content
        /// What its decision lost to a higher class.
        var lost: [Collision] = []
    }

    /// What a draft says, and of which places, as it was sealed. Its base is no part of that: who repeats it may have seen more.
    struct Content: Sendable, Equatable {
        var action: String
        var body: [UInt8]
        var justification: Justification
        var places: NamedPlaces
    }

    private struct Key: Hashable {
        // Texts are the same if their bytes are; Swift's String would take é and e + ´ for one.
        let actor: [UInt8]
        let id: [UInt8]
    }

    private let size: UInt64
    private var records: [Key: Record] = [:]
    /// Which entry holds an id.
    private var seqs: [UInt64: Key] = [:]
    private var places: [Key: UInt64] = [:]
    private var oldest: UInt64 = 0

    init(size: UInt64) { self.size = size }

    func record(actor: String, id: String) -> Record? { records[Key(actor: Array(actor.utf8), id: Array(id.utf8))] }

    /// - Parameter place: the seq by which it is forgotten: that of the entry it stands in, if it was re-admitted.
    mutating func insert(actor: String, id: String, _ record: Record, at place: UInt64? = nil) {
        let key = Key(actor: Array(actor.utf8), id: Array(id.utf8))
        if let old = places[key] { seqs[old] = nil }
        records[key] = record
        places[key] = place ?? record.receipt.seq
        seqs[place ?? record.receipt.seq] = key
    }

    /// What an entry says, if it has an id.
    mutating func insert(_ entry: Entry, at place: UInt64? = nil) {
        guard let id = entry.id else { return }
        insert(actor: entry.actor, id: id, .init(receipt: entry.receipt, content: .init(entry)), at: place)
    }

    /// What a repair took over: what is only shown takes no id from what counts.
    mutating func insert(_ readmission: Readmission, at place: UInt64) {
        let entry = readmission.entry
        guard let id = entry.id, readmission.isProven || record(actor: entry.actor, id: id) == nil else { return }
        insert(entry, at: place)
    }

    /// What the entry beside a decision's drafts says that they lost.
    mutating func noteLosses(_ frame: FrameView, _ bytes: Span<UInt8>) {
        guard frame.action.count == Drafts.conflict.utf8.count, bytes.text(frame.action) == Drafts.conflict else { return }
        noteLosses(frame, bytes, at: frame.seq)
    }

    /// The same of an entry that was re-admitted, and its neighbours with it.
    mutating func noteLosses(_ readmission: Readmission, at place: UInt64) {
        guard readmission.entry.action == Drafts.conflict, !planted(.readmittedLossesForgotten) else { return }
        noteLosses(readmission.view, readmission.frame.span, at: place)
    }

    private mutating func noteLosses(_ frame: FrameView, _ bytes: Span<UInt8>, at place: UInt64) {
        guard let part = frame.part, frame.seq >= part.index, place >= part.index else { return }
        let lost = Drafts.losses(ofConflict: bytes.copy(frame.body))
        let count = UInt64(part.index - 1)
        for seq in place - count..<place {
            // A repair may not have found all of them.
            guard let key = seqs[seq], let known = records[key], (frame.seq - count..<frame.seq).contains(known.receipt.seq)
            else {
                continue
            }
            records[key]?.lost = lost
        }
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
        places[key] = nil
        records[key] = nil
    }
}

extension IdWindow.Content {
    init(_ draft: Draft) {
        self.init(
            action: draft.action, body: draft.body, justification: draft.justification, places: draft.namedPlaces)
    }

    init(_ entry: Entry) {
        self.init(
            action: entry.action, body: entry.body, justification: entry.justification, places: entry.namedPlaces)
    }
}
