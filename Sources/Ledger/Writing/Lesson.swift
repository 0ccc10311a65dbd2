package import CanonicalJSON

/// What an incident teaches, as the entry that records it says in its body: four short sentences.
package struct Lesson: Sendable, Equatable {
    /// What was found to have happened to the ledger.
    package var trauma: String
    /// What makes that happen.
    package var rootCause: String
    /// What was done about it.
    package var correction: String
    /// What to do so that it does not happen again, or does no harm.
    package var lesson: String

    package init(trauma: String, rootCause: String, correction: String, lesson: String) {
        self.trauma = trauma
        self.rootCause = rootCause
        self.correction = correction
        self.lesson = lesson
    }

    /// The four members, into a body that says the rest.
    package func add(to body: inout JSONObject) {
        body["trauma"] = .string(trauma)
        body["root_cause"] = .string(rootCause)
        body["correction"] = .string(correction)
        body["lesson"] = .string(lesson)
    }
}

extension Lesson {
    static let tailCut = Lesson(
        trauma: "The end of the ledger was torn.",
        rootCause: "By the traces, a writer was stopped, or the machine lost power, before its last block was on the disk.",
        correction: "The torn bytes, for which no HEAD vouched, were kept as evidence and cut.",
        lesson: "Whoever got no receipt sends again, with an id.")

    static let headRebuilt = Lesson(
        trauma: "HEAD was missing or empty.",
        rootCause: "Something other than a crash removed or emptied it, for HEAD is only ever replaced whole.",
        correction: "Every entry was verified, HEAD was written anew, and the alert was raised.",
        lesson: "Compare the last entries with receipts kept elsewhere: without HEAD, a cut at the end does not show.")

    static let clockSteppedBack = Lesson(
        trauma: "The clock showed an earlier time than in the entry before.",
        rootCause: "The clock was set, by hand or by time synchronisation, or it was wrong before.",
        correction: "The times were recorded as the clock showed them; the order of the entries is that of their seqs.",
        lesson: "Go by seq where order matters, and let the clock be slewed rather than stepped.")

    /// - Parameter reason: of who accepted it.
    static func steppedBack(_ reason: String) -> Lesson {
        Lesson(
            trauma: "The ledger did not hold an entry that was seen of it before.",
            rootCause: "By who accepted it: \(reason.prefix(500))",
            correction: "The ledger as it is was accepted by name, and what was seen of the other is forgotten.",
            lesson: "Whoever has a receipt from between sends again; back up more often than that.")
    }
}
