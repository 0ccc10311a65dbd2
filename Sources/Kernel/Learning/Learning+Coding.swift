// A snapshot holds lists in a fixed order: the same state gives the same bytes.
extension Learning {
    private struct Coded: Codable {
        var answers: UInt64
        var forgotten: UInt64
        var forgottenOpen: UInt64
        var learners: [Learner]
        var recurrences: [Recurrence]
        var traumas: UInt64
    }

    package func encode(to encoder: any Encoder) throws {
        try Coded(
            answers: answerCount, forgotten: forgottenCount, forgottenOpen: forgottenOpenCount, learners: orderedLearners,
            recurrences: ordered, traumas: traumaCount
        ).encode(to: encoder)
    }

    package init(from decoder: any Decoder) throws {
        let coded = try Coded(from: decoder)
        (traumaCount, answerCount) = (coded.traumas, coded.answers)
        (forgottenCount, forgottenOpenCount) = (coded.forgotten, coded.forgottenOpen)
        for learner in coded.learners { learners[Array(learner.name.utf8)] = learner }
        for recurrence in coded.recurrences { recurrences[recurrence.signature] = recurrence }
    }
}
