import CanonicalJSON
package import LedgerFormat

/// Actors' keys that are the same at every run.
package enum TestActors {
    package static let ada = ActorSigner(seed: [UInt8](repeating: 1, count: 32))
    package static let bob = ActorSigner(seed: [UInt8](repeating: 2, count: 32))
    package static let eve = ActorSigner(seed: [UInt8](repeating: 3, count: 32))
    package static let carol = ActorSigner(seed: [UInt8](repeating: 4, count: 32))

    /// Ada's key plus points of order 8, 4 and 2: they verify what her private key signs, as often as it takes to find such a signature.
    package static let adaMixed = [
        "3bcfb78c4ad06f9b8d7e8c50e37e33dd40042a7805f5df945fbf33620745bc68",
        "974bf7558cd2d4aeb9f1316e2da76c50dcbfb8b96647475ba8d47c20caaba2c2",
        "63771c228bf60e6a02ad24d2c345a28d3598f640e26bede40c8b77fe4bf090a3",
    ]
}

extension ForgedChain {
    /// Begins a segment with an entry about the roster, and changes it as that entry does.
    ///
    /// - Parameter claimed: what the entry says that the roster was; the truth by default.
    package mutating func state(
        _ roster: inout ActorRoster, _ change: RosterStatement.Change = .none, claimed: ActorRoster? = nil, rolls: Bool = true
    ) {
        if rolls { roll() }
        let statement = RosterStatement(claimed ?? roster, change)
        append {
            $0.action = statement.action
            $0.actor = ActorRoster.house
            $0.body = JSON.object(statement.members).canonicalText
        }
        roster = RosterStatement(roster, change).after(tip.seq, tip.hash) ?? roster
    }

    package mutating func enroll(_ actor: String, _ signer: ActorSigner, in roster: inout ActorRoster) {
        state(&roster, .enrolment(actor: actor, actorClass: "worker", key: signer.key))
    }

    /// Appends an entry that carries a signature.
    ///
    /// - Parameters:
    ///   - id: its own, by default.
    ///   - ledger: the one that is signed for; this one by default.
    ///   - change: what is made of it behind the signature.
    package mutating func sign(
        _ actor: String, _ signer: ActorSigner, base: UInt64? = nil, id: String? = nil, for ledger: LedgerID? = nil,
        _ change: (inout Forge) -> Void = { _ in }
    ) {
        let draft: Draft
        do throws(DraftError) {
            draft = try Draft(
                action: "test.event", actor: actor, justification: Justification(.integrity, "forged"), body: [:])
        } catch {
            preconditionFailure("the test's draft is refused: \(error)")
        }
        let id = id ?? "id \(tip.seq)"
        let signed = draft.signed(by: signer, in: ledger ?? tip.ledger, base: base ?? tip.seq, id: id)
        append {
            $0.actor = actor
            $0.context = String(decoding: signed.context, as: UTF8.self)
            change(&$0)
        }
    }

    /// Records once more what an entry says, with its context, and so with its id and signature.
    package mutating func replay(_ index: Int) {
        let frame = frame(index)
        guard case .frame(let view) = FrameView.find(in: frame.span, at: 0) else { preconditionFailure("an entry of ours") }
        append {
            $0.action = frame.span.text(view.action)
            $0.actor = frame.span.text(view.actor)
            $0.body = frame.span.text(view.body)
            $0.context = frame.span.text(view.context)
        }
    }

    /// Takes over what an entry is, by its payload, as a repair does.
    package mutating func readmit(_ payload: String, isProven: Bool = true) {
        append {
            $0.action = Readmission.action
            $0.actor = ActorRoster.house
            $0.body = "{\"frame\":\(payload),\"proven\":\(isProven)}"
        }
    }

    /// An entry's payload, by its index.
    package func payload(_ index: Int) -> String {
        String(String(decoding: frame(index), as: UTF8.self).drop { $0 != "{" }.dropLast())
    }

    private func frame(_ index: Int) -> [UInt8] {
        let entry = entries[index]
        let segment = segments.first { $0.firstSeq == entry.start.segment }
        return Array(segment?.bytes[entry.start.offset..<entry.end.offset] ?? [])
    }
}
