import CanonicalJSON
import Kernel
import LedgerFormat

/// A trauma, and what became of it.
struct ToldTrauma {
    let seq: UInt64
    let time: Timestamp
    let actor: String
    let action: String
    let incident: Incident
    /// Nil where its signature is forgotten.
    private let standing: Recurrence.Standing?
    private let answer: Sighting?
    private let body: JSON

    /// Nil for an entry that tells of none.
    init?(_ fact: Fact, _ learning: Learning) {
        let body = fact.body
        guard let incident = Incident(action: fact.action, actor: fact.actor, body: body) else { return nil }
        (seq, time, actor, action) = (fact.seq, fact.time, fact.actor, fact.action)
        (self.incident, self.body) = (incident, body)
        let recurrence = learning.recurrences[incident.signature]
        standing = recurrence?.standing(of: incident, at: fact.position) ?? (incident.isOpen ? nil : .complete)
        answer = standing == .answered ? recurrence?.answer : nil
    }

    var isOpen: Bool { standing == .open || standing == .recurred }
    var state: String { standing?.rawValue ?? "forgotten" }

    /// The entry's members, and what is told of it.
    var json: JSONObject {
        var object: JSONObject = [
            "action": .string(action), "actor": .string(actor), "learner": .string(incident.learner), "seq": .number(Double(seq)),
            "signature": .string(incident.signature.text), "state": .string(state), "time": .string(time.description),
        ]
        object["answered_by"] = answer.map { .number(Double($0.seq)) }
        for name in ["trauma", "root_cause", "correction", "lesson", "factors", "owner"] { object[name] = body[name] }
        // In the house's own entries it is a file.
        object["evidence"] = body["evidence"]?.array.map { .array($0) }
        return object
    }
}
