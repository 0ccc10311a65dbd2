package import LedgerFormat

/// All traumas of one signature.
package struct Recurrence: Sendable, Equatable, Codable {
    package let signature: Signature
    /// How many there were.
    package internal(set) var count: UInt64 = 0
    /// Of these, those that want an answer and came behind the last one.
    package internal(set) var openCount: UInt64 = 0
    package internal(set) var first: Sighting
    package internal(set) var last: Sighting
    /// Whose lesson the last one is.
    package internal(set) var learner = ""
    /// The beginning of what the last one was.
    package internal(set) var trauma = ""
    /// The beginning of the newest lesson.
    package internal(set) var lesson: String?
    package internal(set) var answer: Sighting?

    init(_ signature: Signature, at sighting: Sighting) {
        self.signature = signature
        (first, last) = (sighting, sighting)
    }

    /// What became of them.
    package enum Standing: String, Sendable {
        /// Nobody has answered.
        case open
        /// It came again behind an answer.
        case recurred
        case answered
        /// All was known when they were recorded.
        case complete
    }

    package var standing: Standing {
        if openCount > 0 { return answer == nil ? .open : .recurred }
        return answer == nil ? .complete : .answered
    }

    /// The same of one of them.
    ///
    /// - Parameter position: where it stands in the chain. An answer is about all that stood before it.
    package func standing(of incident: Incident, at position: UInt64) -> Standing {
        guard incident.isOpen else { return .complete }
        guard let answer else { return .open }
        return position < answer.position ? .answered : .recurred
    }
}

/// Where and when something was recorded.
package struct Sighting: Sendable, Equatable {
    package let seq: UInt64
    /// Of the entry that brings it: another seq only where a repair has re-admitted it.
    package let position: UInt64
    package let time: Timestamp

    init(_ fact: Fact) { (seq, position, time) = (fact.seq, fact.position, fact.time) }
}

extension Sighting: Codable {
    private enum Key: String, CodingKey { case seq, position, time }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        seq = try container.decode(UInt64.self, forKey: .seq)
        position = try container.decodeIfPresent(UInt64.self, forKey: .position) ?? seq
        guard let time = Timestamp(try container.decode(String.self, forKey: .time)) else {
            throw DecodingError.dataCorruptedError(forKey: .time, in: container, debugDescription: "it is no time")
        }
        self.time = time
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(seq, forKey: .seq)
        if position != seq { try container.encode(position, forKey: .position) }
        try container.encode(time.description, forKey: .time)
    }
}
