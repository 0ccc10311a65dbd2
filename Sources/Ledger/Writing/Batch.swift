import LedgerFormat

/// Decisions that are sealed but not durable yet, and what they will be answered with.
struct Batch: Sendable {
    private(set) var answers: [Result<WriterSession.Answer, LedgerError>]
    /// The block that is being sealed.
    var writer: FrameWriter?
    /// Whether a failure ends the commit, and the first one.
    let stopsAtFailure: Bool
    private(set) var failure: LedgerError?
    /// What was sealed of places: where it is not on the disk yet, nobody reads it there.
    var placed: [PlacedEntry] = []
    /// The decisions whose answers wait for the sync.
    private var pending: [Int] = []

    var byteCount: Int { writer?.block.count ?? 0 }

    init(count: Int, stopsAtFailure: Bool) {
        self.stopsAtFailure = stopsAtFailure
        let unanswered = LedgerError(.inputOutput, "the decision was not reached")
        answers = Array(repeating: .failure(unanswered), count: count)
    }

    /// An answer that is true only once what was sealed so far is durable.
    mutating func add(_ answer: Result<WriterSession.Answer, LedgerError>, at index: Int) {
        answers[index] = answer
        pending.append(index)
    }

    /// One decision is refused; the others are not touched.
    mutating func refuse(_ index: Int, _ error: LedgerError) {
        answers[index] = .failure(error)
        if failure == nil { failure = error }
    }

    /// What was sealed is not durable.
    mutating func fail(_ error: LedgerError) {
        for index in pending { answers[index] = .failure(error) }
        if failure == nil { failure = error }
        placed = []
        close()
    }

    /// The block is done with, one way or the other.
    mutating func close() {
        writer = nil
        pending = []
    }
}
