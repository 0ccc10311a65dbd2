package import Ledger
import LedgerFormat

/// Reads what verified entries say, in the order in which they count.
package struct FactReader: Sendable {
    private let view: LedgerView
    private let environment: Environment
    /// First words of actions, each with its dot.
    private let interests: [[UInt8]]

    /// - Parameter namespaces: the first words of the actions to be shown; all others are verified and passed.
    package init(_ view: LedgerView, of namespaces: [String], _ environment: Environment) {
        self.view = view
        self.environment = environment
        interests = namespaces.map { Array("\($0).".utf8) }
    }

    private static let readmitted = Array(Readmission.action.utf8)

    /// Calls `visit` for what follows the entry at `mark`, up to `end`.
    ///
    /// - Parameter mark: moved to the last entry that was read, shown or not.
    /// - Throws: at the first damage, after everything before it was shown; `tampered` also if the entry at `mark` is another one now;
    ///   `unverifiable` if a key is missing without which nobody knows whether what was shown is the ledger's.
    package func read(
        after mark: inout Mark?, to end: FoldEnd = .tip, _ visit: (Fact) -> Void
    ) throws(LedgerError) {
        let start = mark
        // Behind an archive the first entry names the hash of the last one that was archived.
        let isBehindArchive = start != nil && start?.seq == view.base.map { $0.seq - 1 }
        var isContinued = start == nil || isBehindArchive && start?.hash == view.base?.previousHash
        let first = start.map { isContinued ? $0.seq + 1 : $0.seq } ?? 1
        var last = mark
        defer { mark = last }
        let reading = try EntryReader(view, environment).read(from: first, through: end.seq) { frame, bytes in
            if !isContinued, let start {
                isContinued = frame.seq == start.seq && frame.hash(in: bytes) == start.hash
                return isContinued
            }
            let latest = max(last?.latest ?? frame.time, frame.time)
            if let time = end.time, latest > time { return false }
            if isOfInterest(frame, bytes), let fact = Fact(frame, of: bytes), isOfInterest(fact) { visit(fact) }
            last = Mark(seq: frame.seq, hash: frame.hash(in: bytes), latest: latest)
            return true
        }
        if let start, !isContinued {
            throw LedgerError(
                .tampered,
                "the entry with seq \(start.seq) is not the one that was read before: this is another history of the ledger")
        }
        // An entry behind the end may retire the key, and then proves what it sealed.
        if reading.keyAbsence != nil, let absence = try EntryReader(view, environment).read(from: first).keyAbsence {
            throw LedgerError(.unverifiable, "the state cannot be told: \(absence)")
        }
    }

    private func isOfInterest(_ frame: FrameView, _ bytes: Span<UInt8>) -> Bool {
        let action = frame.action
        return interests.contains { bytes.holds($0, in: action) } || bytes.holds(Self.readmitted, in: action)
    }

    /// What a repair re-admitted may be anything.
    private func isOfInterest(_ fact: Fact) -> Bool {
        interests.contains { fact.action.utf8.starts(with: $0) }
    }
}

extension Span<UInt8> {
    fileprivate func holds(_ prefix: [UInt8], in range: Range<Int>) -> Bool {
        guard range.count >= prefix.count else { return false }
        for index in prefix.indices where self[range.lowerBound + index] != prefix[index] { return false }
        return true
    }
}
