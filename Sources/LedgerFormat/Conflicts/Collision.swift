package import CanonicalJSON

/// A place of which two entries say different things, neither having seen the other, and which one of them has lost.
package struct Collision: Sendable, Equatable {
    /// What the loser writes, and does not have; or what it read, if it writes nothing.
    package var at: JSONPointer
    /// What the loser had read and the winner wrote, if it lost by that: all that it writes goes then.
    package var read: JSONPointer?
    package var loser: Side
    package var winner: Side
    /// Which draft of its decision this is about, where an entry beside it tells.
    package var part: Int?

    package struct Side: Sendable, Equatable {
        /// Nil for the draft that is decided on.
        package var seq: UInt64?
        package var actor: String
        /// What it writes, where that is not the loser's place but lies in it or around it.
        package var at: JSONPointer?
        package var value: PlacedValue.Value
    }

    /// - Parameters:
    ///   - read: the loser's premise.
    ///   - theirs: what the winner writes; nil where it only takes the ground from under the loser.
    package init(
        _ loser: PlacedEntry, at: PlacedValue, read: JSONPointer? = nil, to winner: PlacedEntry, _ theirs: PlacedValue?
    ) {
        self.at = at.at
        self.read = read
        self.loser = Side(seq: loser.seq, actor: loser.actor, value: at.value)
        let place = theirs.flatMap { $0.at == at.at ? nil : $0.at }
        self.winner = Side(seq: winner.seq, actor: winner.actor, at: place, value: theirs?.value ?? .unknown)
    }
}

// As entries record it, and as it is printed (FORMAT.md §4.9)
extension Collision {
    package var json: JSON {
        json(loser.json(.value), winner.json(.value, at: true)) { object in
            object["read"] = read.map { .string($0.description) }
        }
    }

    /// The same with nothing of the winner but which entry it is.
    func brief(_ losing: Detail) -> JSON { json(loser.json(losing), winner.json(.nothing)) { _ in } }

    /// What is told of a value.
    enum Detail {
        /// All of it.
        case whole
        /// A digest, if it is long.
        case value
        case digest, nothing
    }

    private func json(_ loser: JSON, _ winner: JSON, _ complete: (inout JSONObject) -> Void) -> JSON {
        var object: JSONObject = ["at": .string(at.description), "loser": loser, "winner": winner]
        object["part"] = part.map { .number(Double($0)) }
        complete(&object)
        return .object(object)
    }

    /// Nil for what has not the form.
    package init?(_ json: JSON) {
        guard let at = json["at"]?.string.flatMap({ try? JSONPointer(parsing: $0) }), let loser = Side(json["loser"]),
            let winner = Side(json["winner"])
        else { return nil }
        self.at = at
        self.loser = loser
        self.winner = winner
        read = json["read"]?.string.flatMap { try? JSONPointer(parsing: $0) }
        part = json["part"]?.integer.flatMap { Int(exactly: $0) }
    }
}

extension Collision.Side {
    /// Of a longer value there is a digest.
    private static let valueByteCountMax = 4096

    fileprivate func json(_ detail: Collision.Detail, at isPlaceTold: Bool = false) -> JSON {
        var object: JSONObject = ["actor": .string(actor)]
        if isPlaceTold { object["at"] = at.map { .string($0.description) } }
        object["seq"] = seq.map { .number(Double($0)) }
        switch value {
        case _ where detail == .nothing: break
        case .present(let value):
            let text = value.canonicalBytes()
            if detail == .whole || detail == .value && text.count <= Self.valueByteCountMax {
                object["value"] = value
            } else {
                object["sha256"] = .string(Digest(sha256: text.span).description)
            }
        case .digest(let digest): object["sha256"] = .string(digest.description)
        case .absent: object["absent"] = true
        case .unknown: break
        }
        return .object(object)
    }

    fileprivate init?(_ json: JSON?) {
        guard let actor = json?["actor"]?.string else { return nil }
        self.actor = actor
        at = json?["at"]?.string.flatMap { try? JSONPointer(parsing: $0) }
        seq = json?["seq"]?.seq
        if let found = json?["value"] {
            value = .present(found)
        } else if let digest = json?["sha256"]?.string.flatMap({ Digest($0) }) {
            value = .digest(digest)
        } else {
            value = json?["absent"]?.bool == true ? .absent : .unknown
        }
    }
}

// For messages
extension Collision {
    /// What the draft lost.
    package var lossText: String {
        let place = (winner.at ?? at).brief
        let theirs = "\(winner.actor), whose class ranks higher, in entry \(winner.seq ?? 0)"
        if let read {
            return "\"\(place)\" was written by \(theirs), and \"\(read.brief)\" was read: what was built on it does not count"
        }
        let itself = winner.at.map { "at \"\($0.brief)\"" } ?? "there"
        return
            "\"\(at.brief)\" belongs to \(theirs): it has \(winner.value.brief) \(itself), and what was to be, \(loser.value.brief), does not count"
    }

    /// What stopped the draft.
    package var contestText: String {
        let theirs = "\(winner.actor) wrote \"\((winner.at ?? at).brief)\" in entry \(winner.seq ?? 0), which had not been seen"
        if let read { return "\(theirs), and \"\(read.brief)\" was read" }
        let itself = winner.at == nil ? "it" : "\"\(at.brief)\""
        return "\(theirs): it has \(winner.value.brief) there, and now \(itself) is to be \(loser.value.brief)"
    }

    /// What the draft took from another.
    package var winText: String {
        // What was built on what is lost goes too, whatever its class.
        let rank = read == nil && winner.at == nil && winner.value == .unknown ? "" : ", whose class ranks lower,"
        return
            "\(loser.actor)\(rank) loses \"\(at.brief)\" of entry \(loser.seq ?? 0), which had not been seen: it had \(loser.value.brief)"
    }
}

extension JSONPointer {
    fileprivate var brief: String { Collision.brief(description) }
}

extension PlacedValue.Value {
    fileprivate var brief: String {
        switch self {
        case .present(let value): Collision.brief(value.canonicalText)
        case .absent: "nothing"
        case .digest, .unknown: "another value"
        }
    }
}

extension Collision {
    fileprivate static func brief(_ text: String) -> String {
        let scalars = text.unicodeScalars
        return scalars.count > 200 ? String(String.UnicodeScalarView(scalars.prefix(200))) + "…" : text
    }
}
