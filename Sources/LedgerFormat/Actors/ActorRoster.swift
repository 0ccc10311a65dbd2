import PlantedDefects

/// Who is or was enrolled, with which key, and from when to when, and who signs for the house: all that is needed to judge any
/// entry's signatures.
package struct ActorRoster: Sendable {
    /// One key of one actor.
    package struct Enrolment: Sendable, Equatable {
        /// `kind:name`.
        package let actor: String
        /// What its drafts count as; what that means, the constitution says (`Articles`).
        package let actorClass: String
        package let key: ActorKey
        /// The entry that enrolled it; the actor is bound from the next one on.
        package let enrolled: UInt64
        /// The entry that took the key back; 0 if none did.
        package internal(set) var revoked: UInt64 = 0

        /// By the bytes: Swift takes é and e + ´ for the same.
        package static func == (a: Enrolment, b: Enrolment) -> Bool {
            a.actor.utf8.elementsEqual(b.actor.utf8) && a.actorClass == b.actorClass && a.key == b.key && a.enrolled == b.enrolled
                && a.revoked == b.revoked
        }
    }

    /// In the order of their entries; none is ever removed, so that no key comes a second time.
    package private(set) var enrolments: [Enrolment] = []
    /// Places in `enrolments` by a hash of the actor's bytes: who looks up an actor of a frame allocates nothing.
    private var places: [UInt64: [Int]] = [:]
    /// Whose signatures the house asks for; nil if the ledger has no associates.
    package var associates: Associates?

    /// All of them must fit into one entry.
    package static let countMax = 1000
    /// The house's own entries are not signed: its seal is what they have.
    package static let house = "service:bulla"

    package init() {}

    /// Nothing has to be stated, and no signature is asked for.
    package var isEmpty: Bool { enrolments.isEmpty && associates == nil }

    /// How an actor stands.
    package enum Standing: Sendable, Equatable {
        /// Nobody was ever enrolled under that name: anyone may use it, and it proves nothing.
        case free
        case enrolled(Enrolment)
        /// The name belongs to nobody now, and not to anyone either.
        case revoked(Enrolment)
    }

    /// How an actor stands for the entry with a seq.
    package func standing(of actor: String, at seq: UInt64) -> Standing {
        let bytes = Array(actor.utf8)
        return standing(of: bytes.span, at: seq)
    }

    func standing(of actor: Span<UInt8>, at seq: UInt64) -> Standing {
        guard let places = places[Self.hash(actor)] else { return .free }
        for place in places.reversed() {
            let enrolment = enrolments[place]
            guard enrolment.enrolled < seq, Self.isSame(enrolment.actor, actor) else { continue }
            return enrolment.revoked > 0 && enrolment.revoked < seq ? .revoked(enrolment) : .enrolled(enrolment)
        }
        return .free
    }

    /// FNV-1a.
    private static func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3 }
        return hash
    }

    private static func isSame(_ name: String, _ bytes: Span<UInt8>) -> Bool {
        guard name.utf8.count == bytes.count else { return false }
        for (index, byte) in name.utf8.enumerated() where byte != bytes[index] { return false }
        return true
    }

    /// Adds one behind the others; false if it contradicts them.
    mutating func add(_ enrolment: Enrolment) -> Bool {
        let actor = Array(enrolment.actor.utf8)
        guard enrolments.count < Self.countMax, enrolments.last.map({ $0.enrolled < enrolment.enrolled }) ?? true,
            enrolment.revoked == 0 || enrolment.revoked > enrolment.enrolled,
            planted(.keyUnderTwoNames) || !enrolments.contains(where: { $0.key == enrolment.key })
        else { return false }
        if case .enrolled = standing(of: actor.span, at: enrolment.enrolled) { return false }
        places[Self.hash(actor.span), default: []].append(enrolments.count)
        enrolments.append(enrolment)
        return true
    }

    /// Takes the actor's key back; false if it has none.
    mutating func revoke(_ actor: String, at seq: UInt64) -> Bool {
        guard case .enrolled(let enrolment) = standing(of: actor, at: seq), let place = enrolments.firstIndex(of: enrolment)
        else {
            return false
        }
        enrolments[place].revoked = seq
        return true
    }
}

extension ActorRoster: Equatable {
    package static func == (a: ActorRoster, b: ActorRoster) -> Bool {
        a.enrolments == b.enrolments && a.associates == b.associates
    }
}

// Behind damage
extension ActorRoster {
    /// With what another one knows besides: enrolments and revocations are added, and none is taken away.
    package func merged(with other: ActorRoster) -> ActorRoster {
        var all = enrolments
        for enrolment in other.enrolments {
            if let place = all.firstIndex(where: { $0.key == enrolment.key }) {
                let known = all[place]
                if known.revoked == 0, known.enrolled == enrolment.enrolled { all[place].revoked = enrolment.revoked }
            } else {
                all.append(enrolment)
            }
        }
        var merged = ActorRoster()
        merged.associates = associates
        // What contradicts an earlier one is left out.
        for enrolment in all.sorted(by: { $0.enrolled < $1.enrolled }) { _ = merged.add(enrolment) }
        return merged.isExtension(of: self) ? merged : self
    }

    /// Whether nothing of another one is missing here, or was changed otherwise than by a revocation.
    func isExtension(of other: ActorRoster) -> Bool {
        other.enrolments.allSatisfy { old in
            enrolments.contains { new in
                var same = old
                if old.revoked == 0 { same.revoked = new.revoked }
                return new == same
            }
        }
    }

    /// Whether all that it tells lies before an entry.
    package func ends(before seq: UInt64) -> Bool {
        enrolments.allSatisfy { $0.enrolled < seq && $0.revoked < seq } && associates?.act.seq ?? 0 < seq
    }
}
