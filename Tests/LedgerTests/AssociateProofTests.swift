import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("Associates whose removal is lost")
struct AssociateProofTests {
    /// Only Ada and Bob count, and they alone open the house.
    private func expectCarolOut(_ machine: SimulatedMachine, _ note: String = "") async throws {
        #expect(try machine.associates().signers == [ada.key, bob.key], "\(note)")
        #expect(try machine.releaseRefusal(of: machine.release(by: [ada, carol])) != nil, "\(note)")
        try await machine.expectReleasable(note)
        #expect(try machine.associates().keys == [ada.key, bob.key], "\(note)")
    }

    /// The house of three, Carol's removal its last entry but `more`.
    private func removed(more: ClosedRange<Int>? = nil) throws -> (SimulatedMachine, SignedRequest, seq: UInt64) {
        let machine = try SimulatedMachine.governed()
        let request = try machine.removal(of: carol, by: [ada, bob])
        let seq = try machine.carryOut(request).seq
        if let more { try machine.append(more) }
        return (machine, request, seq)
    }

    @Test("its entry is damaged, and nothing behind it tells: the request that is left in it proves it")
    func legible() async throws {
        for more in [nil, 30...31] as [ClosedRange<Int>?] {
            let (machine, request, seq) = try removed(more: more)
            try machine.damage(seq)
            let plan = try #require(try machine.repair().plan)
            #expect(plan.mending.acts.map(\.request) == [request] && plan.mending.withdrawn.isEmpty)
            try await expectCarolOut(machine)
        }
    }

    @Test("what is left of its request lies deep in damaged bytes, across the border of what is read at once")
    func deep() async throws {
        let (machine, request, seq) = try removed(more: 30...31)
        let text = request.json.canonicalBytes()
        let border = 4 << 20
        machine.setSegment(
            seq, Array(repeating: 0x78, count: border - text.count / 2) + text + Array(repeating: 0x78, count: 100))
        let plan = try #require(try machine.repair().plan)
        #expect(plan.mending.acts.map(\.request) == [request])
        try await expectCarolOut(machine)
    }

    @Test("nothing of its entry is left: the key counts again, unless the request is given")
    func kept() async throws {
        for isCut in [false, true] {
            let (machine, request, seq) = try removed()
            if isCut { machine.setSegment(seq, []) } else { try machine.destroy(seq) }
            let forgetful = machine.copy()
            let plan = try #require(try forgetful.repair().plan)
            #expect(plan.mending.isEmpty && plan.isNeeded)
            #expect(try forgetful.associates().signers == [ada, bob, carol].map(\.key))
            #expect(plan.lostStatements == [seq])
            try machine.repair { $0.requests = [request] }
            try await expectCarolOut(machine, "cut: \(isCut)")
        }
    }

    @Test("two of them are lost, or what follows them is sound: each proves the hash of the one before")
    func several() async throws {
        for isLast in [true, false] {
            let machine = try SimulatedMachine.governed()
            try machine.carryOut(machine.addition(of: eve, by: [ada, bob]))
            let first = try machine.carryOut(machine.removal(of: carol, by: [ada, bob]))
            let second = try machine.carryOut(machine.removal(of: eve, by: [ada, bob]))
            try machine.append(30...31)
            try machine.damage(first.seq)
            if isLast { try machine.damage(second.seq) }
            let plan = try #require(try machine.repair().plan)
            #expect(plan.mending.acts.count == 2 && plan.mending.acts.first?.hash == first.hash)
            #expect(plan.mending.acts.last?.hash == (isLast ? .zero : second.hash))
            try await expectCarolOut(machine)
        }
    }

    @Test("a removal behind a release that is lost too")
    func behindRelease() async throws {
        let machine = try SimulatedMachine.governed()
        try machine.damage(5)
        try machine.repair()
        let release = try machine.open(with: machine.release(by: [ada, bob]))
        let removal = try machine.carryOut(machine.removal(of: carol, by: [ada, bob]))
        try machine.damage(release.seq)
        try machine.damage(removal.seq)
        let plan = try #require(try machine.repair().plan)
        #expect(plan.mending.acts.map(\.request.verb) == [.release, .remove])
        try await expectCarolOut(machine)
    }

    @Test("an addition is lost, and sound acts follow it: they prove that it was carried out, and who it added holds the house")
    func followedAddition() async throws {
        let machine = try SimulatedMachine.governed()
        let first = try machine.carryOut(machine.addition(of: eve, by: [ada, bob]))
        try machine.carryOut(machine.removal(of: ada, by: [carol, eve]))
        try machine.carryOut(machine.removal(of: bob, by: [carol, eve]))
        try machine.append(30...31)
        let wiped = machine.copy()
        try machine.damage(first.seq)
        let plan = try #require(try machine.repair().plan)
        #expect(plan.mending.acts.map(\.request.verb) == [.add, .remove, .remove] && plan.returningAssociates.isEmpty)
        #expect(try machine.associates().signers == [carol.key, eve.key])
        #expect(try machine.releaseRefusal(of: machine.release(by: [ada, bob])) != nil)
        try await machine.expectReleasable(by: [carol, eve])
        // Nothing of it is left: whoever repairs must agree that the removed ones are back.
        try wiped.destroy(first.seq)
        let before = wiped.files
        let error = #expect(throws: LedgerError.self) { try wiped.repair() }
        #expect(error?.code == .refused && error?.message.contains("--with-removed") == true && wiped.files == before)
        #expect(try #require(try wiped.repair { $0.acceptsRemoved = true }.plan).returningAssociates == [ada.key, bob.key])
        try await wiped.expectReleasable()
    }

    @Test("an act is lost without a trace, and one behind it asked for more signatures: not fewer must sign")
    func raised() async throws {
        for isLost in [true, false] {
            let machine = try SimulatedMachine.governed()
            let first = try machine.carryOut(machine.addition(of: eve, by: [ada, bob]))
            try machine.carryOut(machine.adoption(threshold: 4, by: [ada, bob]))
            try machine.append(30...31)
            if isLost { try machine.destroy(first.seq) } else { try machine.damage(first.seq) }
            let plan = try #require(try machine.repair().plan)
            #expect(plan.mending.threshold == (isLost ? 3 : nil) && plan.mending.acts.count == (isLost ? 0 : 2))
            let associates = try machine.associates()
            #expect(associates.threshold == (isLost ? 3 : 4) && (associates.constitution == nil) == isLost)
            #expect((plan.lostConstitution != nil) == isLost)
            #expect(try machine.releaseRefusal(of: machine.release(by: [ada, bob]))?.message.contains("2 of") == true)
            try await machine.expectReleasable(by: isLost ? [ada, bob, carol] : [ada, bob, carol, eve])
        }
    }

    @Test("a removal by which fewer must sign counts only with its entry, or if a sound act follows it")
    func lowering() async throws {
        for isFollowed in [true, false] {
            let machine = try SimulatedMachine.governed()
            let request = try machine.removal(of: carol, threshold: 1, by: [ada, bob])
            let seq = try machine.carryOut(request).seq
            if isFollowed { try machine.carryOut(machine.removal(of: bob, threshold: 1, by: [ada])) }
            try machine.damage(seq)
            if !isFollowed {
                let error = #expect(throws: LedgerError.self) { try machine.copy().repair { $0.requests = [request] } }
                #expect(error?.message.contains("what lets fewer sign") == true, "\(String(describing: error))")
            }
            #expect(try #require(try machine.repair().plan).mending.acts.count == (isFollowed ? 2 : 0))
            #expect(try machine.associates().signers == (isFollowed ? [ada.key] : [ada, bob, carol].map(\.key)))
            try await machine.expectReleasable(by: isFollowed ? [ada] : [ada, bob])
        }
    }

    @Test("attacks: what was signed for the same place and never carried out, against what sound entries behind it say")
    func contradicted() async throws {
        for isGiven in [true, false] {
            let machine = try SimulatedMachine.governed()
            let others = [
                try machine.removal(of: bob, by: [ada, carol]), try machine.addition(of: eve, by: [ada, bob]),
                try machine.adoption("[retention]\ndays = 1", by: [ada, bob]),
                try machine.adoption(threshold: 3, by: [ada, bob]),
            ]
            let lost = try machine.removal(of: carol, by: [ada, bob])
            let seq = try machine.carryOut(lost).seq
            try machine.carryOut(machine.adoption(by: [ada, bob]))
            try machine.append(30...31)
            // Nothing of the true one is left but what its signers kept.
            let place = try machine.place(seq)
            let text = isGiven ? "" : others.map(\.json.canonicalText).joined()
            let end = try #require(machine.segment(place.segment)[place.offset...].firstIndex(of: 0x0A))
            machine.setSegment(
                place.segment,
                machine.segment(place.segment)[..<place.offset] + Array(text.utf8) + machine.segment(place.segment)[end...])
            for other in others where isGiven {
                let error = #expect(throws: LedgerError.self) { try machine.copy().repair { $0.requests = [other] } }
                #expect(error?.code == .refused, "\(String(describing: error))")
            }
            let plan = try #require(try machine.repair { $0.requests = [lost] }.plan)
            #expect(plan.mending.acts.map(\.request.verb) == [.remove, .adopt] && plan.mending.acts.first?.request == lost)
            #expect(try machine.associates().constitution != nil)
            try await expectCarolOut(machine, "\(isGiven)")
        }
    }

    @Test("attack: a request behind zeros, as if it followed an act that is lost")
    func behindNothing() async throws {
        let machine = try SimulatedMachine.governed()
        let lost = try machine.removal(of: carol, by: [ada, bob])
        try machine.damage(machine.carryOut(lost).seq)
        var invented = SignedRequest(
            .remove, SignedRequest.removal(of: bob.key, threshold: 1, reason: "test"), in: lost.ledger, base: .zero,
            nonce: lost.nonce, expires: lost.expires)
        invented.sign(with: ada)
        invented.sign(with: bob)
        let error = #expect(throws: LedgerError.self) { try machine.repair { $0.requests = [invented] } }
        #expect(error?.code == .refused)
        #expect(try #require(try machine.repair().plan).mending.acts.map(\.request) == [lost])
        try await expectCarolOut(machine)
    }

    @Test("attacks: what strangers, too few, or nobody signed, what was signed elsewhere or counted before, proves nothing")
    func attacks() async throws {
        let machine = try SimulatedMachine.governed()
        let old = try machine.removal(of: carol, by: [ada, bob])
        try machine.carryOut(old)
        try machine.carryOut(machine.addition(of: carol, by: [ada, bob]))
        let other = try SimulatedMachine.governed(seed: 2)
        let attempts = [
            (old, "was carried out before"), (try other.removal(of: carol, by: [ada, bob]), "is for another ledger"),
            (try machine.removal(of: bob, by: [carol]), "1 of 2 signatures"),
            (try machine.removal(of: bob, by: [carol, eve]), "is no associate's"),
            (try machine.addition(of: eve, by: [ada, bob]), "let it be signed again behind the release"),
        ]
        // They stand where a damaged entry did, and are given too.
        let text = attempts.map(\.0.json.canonicalText).joined()
        let seq = try machine.append(30...30)[0].seq
        let place = try machine.place(seq)
        machine.setSegment(place.segment, machine.segment(place.segment)[..<place.offset] + Array(text.utf8))
        for (request, words) in attempts {
            let error = #expect(throws: LedgerError.self) { try machine.repair { $0.requests = [request] } }
            #expect(error?.code == .refused && error?.message.contains(words) == true, "\(String(describing: error))")
        }
        #expect(try #require(try machine.repair().plan).mending.isEmpty)
        #expect(try machine.associates().signers == [ada, bob, carol].map(\.key))
        try await machine.expectReleasable()
    }

    @Test("requests are found wherever they stand in any bytes, whole ones only")
    func found() throws {
        let machine = try SimulatedMachine.governed()
        let requests = [try machine.removal(of: carol, by: [ada, bob]), try machine.addition(of: eve, by: [ada])]
        let texts = requests.map { Array($0.json.canonicalText.utf8) }
        let noise = Array(#"{"arguments":{{"arguments":{"verb":"associate.remove"}"#.utf8)
        let bytes = noise + texts[0] + noise + texts[1] + texts[0].dropLast() + [0, 0]
        #expect(SignedRequest.found(in: bytes.span) == requests)
        #expect(SignedRequest.found(in: Array(bytes.dropFirst(noise.count + 1)).span) == [requests[1]])
        #expect(SignedRequest.found(in: [UInt8]().span).isEmpty)
    }
}
