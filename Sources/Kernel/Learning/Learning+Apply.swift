import CanonicalJSON
import PlantedDefects

// Replay: what each entry makes of the state. What cannot be read changes nothing.
extension Learning {
    package mutating func apply(_ fact: Fact) {
        if fact.action == Trauma.answered {
            answer(fact)
        } else if let incident = Incident(action: fact.action, actor: fact.actor, body: fact.body) {
            take(incident, Sighting(fact))
        }
    }

    private mutating func take(_ incident: Incident, _ sighting: Sighting) {
        traumaCount += 1
        var recurrence = recurrences[incident.signature] ?? Recurrence(incident.signature, at: sighting)
        recurrence.count += 1
        if incident.isOpen { recurrence.openCount += 1 }
        recurrence.last = sighting
        recurrence.learner = Self.short(incident.learner)
        recurrence.trauma = Brief.text(incident.trauma)
        if let lesson = incident.lesson { recurrence.lesson = Brief.text(lesson) }
        recurrences[incident.signature] = recurrence
        forgetRecurrences()
        note(incident.learner, at: sighting) { learner in
            learner.traumaCount += 1
            if let lesson = incident.lesson { learner.take(lesson, incident.signature, sighting.seq) }
        }
    }

    private mutating func answer(_ fact: Fact) {
        let body = fact.body
        guard let signature = body["signature"]?.string.flatMap({ Signature($0) }) else { return }
        answerCount += 1
        let lesson = body["lesson"]?.string
        // One that was forgotten stays so: an answer is no trauma.
        if var recurrence = recurrences[signature] {
            if !planted(.answerForgotten) { recurrence.openCount = 0 }
            recurrence.answer = Sighting(fact)
            if let lesson { recurrence.lesson = Brief.text(lesson) }
            recurrences[signature] = recurrence
        }
        guard let lesson else { return }
        note(body["owner"]?.string ?? fact.actor, at: Sighting(fact)) { $0.take(lesson, signature, fact.seq) }
    }

    private mutating func note(_ name: String, at sighting: Sighting, _ change: (inout Learner) -> Void) {
        let short = Self.short(name)
        var learner = learners[Array(short.utf8)] ?? Learner(short)
        learner.order = sighting.position
        change(&learner)
        learners[Array(short.utf8)] = learner
        guard learners.count > Self.learnerCountMax else { return }
        let kept = learners.values.sorted { $0.order > $1.order }.prefix(Self.learnerCountMax * 3 / 4)
        learners = Dictionary(uniqueKeysWithValues: kept.map { (Array($0.name.utf8), $0) })
    }

    /// A quarter at once, so that sorting costs little for each that comes.
    private mutating func forgetRecurrences() {
        guard recurrences.count > Self.recurrenceCountMax, !planted(.signaturesUnbounded) else { return }
        let ranked = Self.ranked(recurrences.values)
        let kept = Self.recurrenceCountMax * 3 / 4
        recurrences = Dictionary(uniqueKeysWithValues: ranked.prefix(kept).map { ($0.signature, $0) })
        for forgotten in ranked.dropFirst(kept) {
            forgottenCount += 1
            forgottenOpenCount += forgotten.openCount
        }
    }

    /// Drafts name shorter actors than that; a ledger may hold longer ones, with anything in them.
    private static func short(_ name: String) -> String { Brief.text(name) }
}
