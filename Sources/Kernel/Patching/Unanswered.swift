import CanonicalJSON
import Ledger
import LedgerFormat

/// Traumas of one signature that one specialist had, and that nobody has answered.
struct Unanswered: Sendable {
    let learner: String
    fileprivate(set) var count: UInt64 = 1
    let first: Sighting
    fileprivate(set) var last: Sighting

    fileprivate init(_ learner: String, _ sighting: Sighting) { (self.learner, first, last) = (learner, sighting, sighting) }

    /// So many specialists are looked at for one signature: names are free.
    fileprivate static let learnerCountMax = 256
}

extension Unanswered {
    /// Reads what the ledger, as it is given, holds of some signatures. The most frequent ones come first, of these the latest.
    static func of(
        _ recurrences: [Recurrence], in view: LedgerView, _ environment: Environment
    ) throws(LedgerError) -> [Signature: [Unanswered]] {
        guard !recurrences.isEmpty else { return [:] }
        var found = Dictionary(uniqueKeysWithValues: recurrences.map { ($0.signature, [Unanswered]()) })
        var past = Mark(lastArchivedIn: view)
        try FactReader(view, of: ["trauma"], environment).read(after: &past) { fact in
            if fact.action == Trauma.answered {
                guard let signature = fact.body["signature"]?.string.flatMap({ Signature($0) }), found[signature] != nil else {
                    return
                }
                found[signature] = []
            } else if let incident = Incident(action: fact.action, actor: fact.actor, body: fact.body) {
                found[incident.signature]?.take(incident, Sighting(fact))
            }
        }
        return found.mapValues { $0.sorted { ($0.count, $0.last.position) > ($1.count, $1.last.position) } }
    }
}

extension [Unanswered] {
    fileprivate mutating func take(_ incident: Incident, _ sighting: Sighting) {
        guard incident.isOpen, incident.learner.hasPrefix("specialist:") else { return }
        if let index = firstIndex(where: { $0.learner.utf8.elementsEqual(incident.learner.utf8) }) {
            self[index].count += 1
            self[index].last = sighting
        } else if count < Unanswered.learnerCountMax {
            append(Unanswered(incident.learner, sighting))
        }
    }
}
