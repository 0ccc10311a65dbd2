/// What went wrong, how often it came again, and what was learnt: folded from `trauma` entries and from those of the house about itself.
///
/// Bounded, whatever the ledger holds: of all signatures and actors above a number the oldest are forgotten but for a count, those that
/// want no answer first.
package struct Learning: Projection, Equatable {
    package static let name = "learning"
    package static let version = 1
    package static let namespaces = ["trauma", "ledger", "snapshot", "anchor"]

    package internal(set) var recurrences: [Signature: Recurrence] = [:]
    var learners: [[UInt8]: Learner] = [:]
    package internal(set) var traumaCount: UInt64 = 0
    package internal(set) var answerCount: UInt64 = 0
    /// Signatures that were forgotten; one that comes again begins anew.
    package internal(set) var forgottenCount: UInt64 = 0
    /// Of their traumas, those that want an answer.
    package internal(set) var forgottenOpenCount: UInt64 = 0

    package init() {}

    /// So many signatures, and so many actors, are known at most. All of it, with texts of the worst kind, fits into one entry.
    package static let recurrenceCountMax = 512
    package static let learnerCountMax = 64

    /// The newest first, those that want an answer before all others.
    package var ordered: [Recurrence] { Self.ranked(recurrences.values) }
    /// By name.
    package var orderedLearners: [Learner] { learners.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value) }
    /// Signatures that want an answer.
    package var openCount: Int { recurrences.values.count { $0.openCount > 0 } }

    static func ranked(_ recurrences: some Sequence<Recurrence>) -> [Recurrence] {
        recurrences.sorted {
            ($0.openCount > 0) == ($1.openCount > 0) ? $0.last.position > $1.last.position : $0.openCount > 0
        }
    }
}
