import CanonicalJSON
import Kernel
import Lanes
import LedgerFormat

/// What is learnt at one moment, for people and for programs.
struct LearningReport {
    private let learning: Learning
    private let now: Timestamp

    init(_ learning: Learning, at now: Timestamp) { (self.learning, self.now) = (learning, now) }

    /// - Parameter seq: the last entry that was folded.
    func json(_ seq: UInt64) -> JSONObject {
        [
            "actors": .array(learning.orderedLearners.map(json)), "answers": .number(Double(learning.answerCount)),
            "forgotten": [
                "open": .number(Double(learning.forgottenOpenCount)), "signatures": .number(Double(learning.forgottenCount)),
            ], "open": .number(Double(learning.openCount)), "seq": .number(Double(seq)),
            "signatures": .array(learning.ordered.map(json)), "time": .string(now.description),
            "traumas": .number(Double(learning.traumaCount)),
        ]
    }

    private func json(_ recurrence: Recurrence) -> JSON {
        var object: JSONObject = [
            "actor": .string(recurrence.learner), "first": json(recurrence.first), "last": json(recurrence.last),
            "open": .number(Double(recurrence.openCount)), "recurrences": .number(Double(recurrence.count - 1)),
            "signature": .string(recurrence.signature.text), "since_seconds": .number(Double(since(recurrence.last)) / 1_000_000),
            "state": .string(recurrence.standing.rawValue), "trauma": .string(recurrence.trauma),
            "traumas": .number(Double(recurrence.count)),
        ]
        object["answer"] = recurrence.answer.map(json)
        object["lesson"] = recurrence.lesson.map { .string($0) }
        return .object(object)
    }

    private func json(_ sighting: Sighting) -> JSON {
        ["seq": .number(Double(sighting.seq)), "time": .string(sighting.time.description)]
    }

    private func json(_ learner: Learner) -> JSON {
        [
            "actor": .string(learner.name), "lessons": .number(Double(learner.lessonCount)),
            "newest": .array(
                learner.lessons.map {
                    ["lesson": .string($0.text), "seq": .number(Double($0.seq)), "signature": .string($0.signature.text)]
                }), "traumas": .number(Double(learner.traumaCount)),
        ]
    }

    /// In microseconds. Clocks step back, and nothing was in the future.
    private func since(_ sighting: Sighting) -> Int64 { max(0, now.microseconds - sighting.time.microseconds) }
}

// For people
extension LearningReport {
    /// - Parameter width: of a line, in cells; nil if nothing is to be cut.
    func lines(width: Int?) -> [String] {
        guard learning.traumaCount > 0 || learning.answerCount > 0 else { return ["no trauma is recorded"] }
        var lines = [Cells.cut(summary, to: width ?? .max)]
        if learning.forgottenCount > 0 {
            let more =
                "older, and forgotten: \(Self.count(learning.forgottenCount, "signature")), open: \(learning.forgottenOpenCount)"
            lines.append(Cells.cut(more, to: width ?? .max))
        }
        let isWide = width.map { $0 >= 120 } ?? true
        let rows = learning.ordered.map { cells($0, isWide) }
        let table = TextTable(Self.columns(isWide), rows, width: width)
        lines += ["", table.heading] + rows.map(table.line)
        for learner in learning.orderedLearners { lines += [""] + self.lines(learner, width) }
        return lines
    }

    private var summary: String {
        let kinds = Self.count(UInt64(learning.recurrences.count), "signature")
        return "\(Self.count(learning.traumaCount, "trauma")) of \(kinds), \(learning.openCount) open; "
            + Self.count(learning.answerCount, "answer")
    }

    private static func columns(_ isWide: Bool) -> [TextTable.Column] {
        [.init("TIMES", .number), .init("STATE"), .init("LAST AGO", .number), .init("SEQ", .number)]
            + (isWide ? [.init("ACTOR", .text(least: 12))] : [])
            + [.init("SIGNATURE", .text(least: 12)), .init("TRAUMA", .text(least: 12))]
    }

    private func cells(_ recurrence: Recurrence, _ isWide: Bool) -> [String] {
        [
            Format.count(recurrence.count), recurrence.standing.rawValue, TimeSpan.text(since(recurrence.last)),
            String(recurrence.last.seq),
        ] + (isWide ? [recurrence.learner] : []) + [recurrence.signature.text, recurrence.trauma]
    }

    private func lines(_ learner: Learner, _ width: Int?) -> [String] {
        var lines = [
            Cells.cut(
                "\(learner.name): \(Self.count(learner.traumaCount, "trauma")), \(Self.count(learner.lessonCount, "lesson"))",
                to: width ?? .max)
        ]
        if learner.lessonCount > learner.lessons.count { lines[0] += ", the newest \(learner.lessons.count):" }
        for taught in learner.lessons {
            let text = "\(taught.seq)  \(taught.signature): \(taught.text)"
            guard let width else {
                lines.append("  " + Printable.text(text))
                continue
            }
            let wrapped = Cells.wrap(text, to: max(20, width - 4))
            lines += wrapped.enumerated().map { ($0.offset == 0 ? "  " : "    ") + $0.element }
        }
        return lines
    }

    private static func count(_ count: UInt64, _ noun: String) -> String {
        "\(Format.count(count)) \(noun)\(count == 1 ? "" : "s")"
    }
}
