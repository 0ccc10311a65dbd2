package import CanonicalJSON

// As entries state it (FORMAT.md §4.7).
extension ActorRoster {
    package var json: JSON { .array(enrolments.map(\.json)) }

    /// Reads an array; nil if it has not the form, or contradicts itself.
    init?(_ json: JSON) {
        guard let items = json.array, items.count <= Self.countMax else { return nil }
        self.init()
        for item in items {
            guard let enrolment = Enrolment(item), add(enrolment) else { return nil }
        }
    }
}

extension ActorRoster.Enrolment {
    package var json: JSON {
        [
            "actor": .string(actor), "class": .string(actorClass), "enrolled": .number(Double(enrolled)),
            "key": .string(key.description), "revoked": .number(Double(revoked)),
        ]
    }

    fileprivate init?(_ json: JSON) {
        guard json.object?.members.count == 5, let actor = json["actor"]?.string, Names.isActor(actor),
            actor.utf8.count <= Names.draftByteCount, let actorClass = json["class"]?.string,
            ActorRoster.isClass(actorClass), let enrolled = json["enrolled"]?.seq,
            let key = json["key"]?.string.flatMap({ ActorKey(sealed: $0) }), let revoked = json["revoked"]?.integer, revoked >= 0,
            revoked <= Int64(Limits.seq)
        else { return nil }
        self.init(actor: actor, actorClass: actorClass, key: key, enrolled: enrolled, revoked: UInt64(revoked))
    }
}

extension ActorRoster {
    package static let classByteCountMax = 64

    /// Whether a text is a class's name: `[a-z0-9_-]+`.
    package static func isClass(_ text: String) -> Bool {
        (1...classByteCountMax).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2D }
    }
}
