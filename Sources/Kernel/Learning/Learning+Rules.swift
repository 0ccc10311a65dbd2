import CanonicalJSON
package import Ledger
package import LedgerFormat
import PlantedDefects

// What may be recorded, and which entry says so.
extension Learning {
    /// Records a trauma.
    ///
    /// - Parameters:
    ///   - signature: nil to derive it from the words.
    ///   - evidence: one for each seq that the findings name.
    /// - Returns: what was known of the signature before; nil if it is new.
    package func record(
        _ text: String, _ findings: Findings, signature: Signature?, evidence: [Citation], _ justification: Justification,
        _ moment: Moment
    ) throws(LedgerError) -> Decision<Reply> {
        try Findings.check(text, "trauma")
        try findings.check()
        var findings = findings
        findings.evidence = evidence.map(\.seq)
        let trauma = Trauma(text, findings, signature: signature ?? Signature(words: text))
        let draft = try moment.draft(Trauma.recorded, justification, trauma.body, Self.context(evidence, moment))
        return Decision([draft], reply: Reply(signature: trauma.signature, before: recurrences[trauma.signature]))
    }

    /// Answers a trauma, and with it all of its signature that were recorded before.
    ///
    /// - Parameters:
    ///   - seen: what stands at `seq`, or why that cannot be read. The last one of each signature is known also if it was archived.
    /// - Throws: `refused` if it is no trauma.
    package func answer(
        _ seq: UInt64, seen: Result<Citation, LedgerError>, _ findings: Findings, evidence: [Citation],
        _ justification: Justification, _ moment: Moment
    ) throws(LedgerError) -> Decision<Reply> {
        try findings.check()
        guard findings.correction != nil || findings.lesson != nil else {
            throw LedgerError(.usage, "an answer says a correction, a lesson, or both")
        }
        let (signature, learner) = try subject(seq, seen)
        var findings = findings
        findings.evidence = evidence.map(\.seq)
        findings.owner = findings.owner ?? (Names.isActor(learner) ? learner : nil)
        var body: JSONObject = ["answers": .number(Double(seq)), "signature": .string(signature.text)]
        for (name, text) in [
            ("root_cause", findings.rootCause), ("correction", findings.correction), ("lesson", findings.lesson),
        ] { body[name] = text.map { .string($0) } }
        findings.add(to: &body)
        let draft = try moment.draft(Trauma.answered, justification, body, Self.context(evidence, moment, [seq]))
        return Decision([draft], reply: Reply(signature: signature, before: recurrences[signature]))
    }

    /// What a rule of learning tells.
    package struct Reply: Sendable {
        package let signature: Signature
        /// What was known of it until then.
        package let before: Recurrence?
    }

    private func subject(
        _ seq: UInt64, _ seen: Result<Citation, LedgerError>
    ) throws(LedgerError) -> (signature: Signature, learner: String) {
        switch seen {
        case .success(let citation):
            if let incident = citation.incident { return (incident.signature, incident.learner) }
            if planted(.anythingAnswered) { return (Signature(action: Trauma.recorded), "") }
            throw LedgerError(
                .refused,
                "entry \(seq) is no trauma, but \(citation.action): there is nothing to answer; `bulla learn list --open` names those that there are"
            )
        case .failure(let error):
            guard error.cause == .archived, let known = recurrences.values.first(where: { $0.last.seq == seq }) else {
                throw error
            }
            return (known.signature, known.learner)
        }
    }

    private static func context(_ evidence: [Citation], _ moment: Moment, _ more: [UInt64] = []) -> JSONObject {
        let causes = more + evidence.map(\.seq)
        return causes.isEmpty ? [:] : ["causes": .array(causes.map { .number(Double($0)) })]
    }
}
