import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("The constitution")
struct ConstitutionTests {
    private let trade = "[pillars]\nsovereignty = [\"trade.\"]\n"

    private func draft(_ action: String, _ pillar: Justification.Pillar, id: String? = nil) throws -> Draft {
        try Draft(
            action: action, actor: "user:trader", justification: Justification(pillar, "test"), body: [:],
            context: id.map { ["id": .string($0)] } ?? [:])
    }

    /// What a draft is refused with; nil if it was recorded.
    private func refusal(_ machine: SimulatedMachine, _ drafts: [Draft]) throws -> LedgerError? {
        let before = machine.files
        let error = try machine.write { session in
            ledgerError { () throws(LedgerError) in _ = try session.commit([drafts])[0].get() }
        }
        #expect(error == nil || machine.files == before)
        return error
    }

    @Test("what two of three sign holds for the next writer, from the segment's first entry; all segments state it")
    func adopts() async throws {
        let machine = try SimulatedMachine.governed()
        #expect(try machine.associates().constitution == nil && machine.associates().articles == .standard)
        let receipt = try machine.carryOut(machine.adoption("classes = [\"operator\"]", threshold: 3, by: [ada, bob]))
        #expect(try machine.associates().threshold == 3)
        try machine.append(30...60)
        let constitution = try #require(try machine.associates().constitution)
        #expect(constitution.act == .init(seq: receipt.seq, hash: receipt.hash) && constitution.articles.classes == ["operator"])
        let text = try constitution.text(in: LedgerView(machine.storage()), machine.environment)
        #expect(text.hasPrefix("classes = [\"operator\"]\n"))
        #expect(try await machine.audit().verdict == .intact)
        #expect(try await machine.audit { $0.threadCount = 2 }.verdict == .intact)
    }

    @Test(
        "the adoption is lost, and all before it that says who signs: the articles are stated, and whoever wants the text is told"
    )
    func textLost() async throws {
        let machine = try SimulatedMachine.governed()
        let adopted = try machine.carryOut(machine.adoption("classes = [\"operator\"]", by: [ada, bob]))
        try machine.append(30...60)
        try machine.destroy(adopted.seq)
        try machine.destroy(1)
        try machine.repair { $0.naming = nil }
        let constitution = try #require(try machine.associates().constitution)
        #expect(constitution.articles.classes == ["operator"] && constitution.act.seq == adopted.seq)
        let view = try LedgerView(machine.storage())
        let error = ledgerError { () throws(LedgerError) in _ = try constitution.text(in: view, machine.environment) }
        #expect(error?.code == .refused && error?.message.contains("which held the text that was adopted, is lost") == true)
        let origin = try constitution.origin(in: view, machine.environment)
        #expect(origin == .gone(adopted.seq) && origin.description.contains("is lost or was archived"))
        try await machine.expectReleasable()
    }

    @Test("attacks: a constitution that would lock everybody out is refused with its own words")
    func lockouts() throws {
        let machine = try SimulatedMachine.governed()
        #expect(
            try machine.refusal(of: machine.adoption(threshold: 4, by: [ada, bob]))?.contains("4 of 3 cannot be asked") == true)
        try machine.write { session in
            _ = try session.enroll("user:olga", as: "operator", eve.key, reason: "test")
        }
        let nobody = try machine.adoption("classes = [\"worker\"]", by: [ada, bob])
        #expect(try machine.refusal(of: nobody)?.contains("user:olga is enrolled as operator") == true)
        try machine.write { session in _ = try session.revoke("user:olga", reason: "test") }
        // Whose key was revoked is locked out anyway.
        try machine.carryOut(nobody)
        let error = try machine.write { session in
            ledgerError { () throws(LedgerError) in
                _ = try session.enroll("user:olga", as: "operator", bob.key, reason: "test")
            }
        }
        #expect(error?.code == .refused && error?.message.contains("names no class operator, only worker") == true)
    }

    @Test("attacks: articles that are not what the text says, a text that is none, too few, played again, of another ledger")
    func attacks() throws {
        let machine = try SimulatedMachine.governed()
        let honest = try machine.adoption(by: [])
        var arguments = honest.arguments
        arguments["text"] = .string(trade + "[thresholds]\nsignatures = 2")
        let other = try machine.request(.adopt, arguments, by: [ada, bob])
        #expect(try machine.refusal(of: other)?.contains("are not what its text says") == true)
        arguments["text"] = "[thresholds]\nsignatures = 1"
        let lower = try machine.request(.adopt, arguments, by: [ada, bob])
        #expect(try machine.refusal(of: lower)?.contains("are not what its text says") == true)
        arguments["text"] = "signatures = 2"
        let none = try machine.request(.adopt, arguments, by: [ada, bob])
        #expect(try machine.refusal(of: none)?.contains("is no constitution: line 1, column 1") == true)
        arguments["text"] = nil
        #expect(try machine.request(.adopt, arguments, by: []).objectionToText == .form)
        #expect(
            try machine.refusal(of: machine.request(.adopt, arguments, by: [ada, bob]))?.contains("it is no request") == true)
        #expect(try machine.refusal(of: machine.adoption(by: [ada]))?.contains("1 of 2 signatures") == true)
        #expect(try machine.refusal(of: machine.adoption(by: [ada, bob], life: -1))?.contains("expired at") == true)
        let elsewhere = try SimulatedMachine.governed(seed: 2).adoption(by: [ada, bob])
        #expect(try machine.refusal(of: elsewhere)?.contains("is for another ledger") == true)
        let right = try machine.adoption(by: [ada, bob])
        try machine.carryOut(right)
        #expect(try machine.refusal(of: right)?.contains("was carried out before") == true)
    }

    @Test("behind it nobody else says how many must sign, and no request lives longer")
    func thresholds() throws {
        let machine = try SimulatedMachine.governed()
        try machine.carryOut(machine.adoption("[handbooks]\nfolders = []\n[retention]\ndays = 1", by: [ada, bob]))
        let addition = SignedRequest.addition(of: eve.key, threshold: 3, reason: "test")
        let wrong = try machine.request(.add, addition, by: [ada, bob])
        #expect(try machine.refusal(of: wrong)?.contains("the constitution says that 2 must sign, and not 3") == true)
        #expect(try machine.refusal(of: machine.removal(of: carol, threshold: 1, by: [ada, bob]))?.contains("and not 1") == true)
        let long = try machine.addition(of: eve, by: [ada, bob], life: 8 * 86_400_000_000)
        #expect(try machine.refusal(of: long)?.contains("for 168 hours at most") == true)
        try machine.carryOut(machine.addition(of: eve, by: [ada, bob], life: 7 * 86_400_000_000 - 60_000_000))
        try machine.carryOut(machine.removal(of: eve, by: [ada, bob]))
        try machine.carryOut(machine.removal(of: carol, by: [ada, bob]))
        // Two are left, and two must sign.
        let below = try machine.removal(of: bob, by: [ada, bob])
        #expect(try machine.refusal(of: below)?.contains("1 associate would be left, and 2 must sign") == true)
    }

    @Test("a pillar's actions are refused with another one before they are sealed; what was recorded before is not judged")
    func pillars() async throws {
        let machine = try SimulatedMachine.governed()
        #expect(try refusal(machine, [draft("trade.order", .integrity, id: "old")]) == nil)
        try machine.carryOut(machine.adoption(trade, by: [ada, bob]))
        let error = try refusal(machine, [draft("test.event", .integrity), draft("trade.order", .integrity)])
        #expect(
            error?.code == .refused && error?.message.contains("justified by sovereignty alone, and not by integrity") == true)
        #expect(try refusal(machine, [draft("trade", .evolution)]) != nil)
        #expect(try refusal(machine, [draft("trade.order", .sovereignty), draft("trader.order", .integrity)]) == nil)
        // It was recorded when it was right, and is answered with its receipt.
        #expect(try refusal(machine, [draft("trade.order", .integrity, id: "old")]) == nil)
        let others = try machine.write { session in
            let wrong = try draft("trade.order", .resilience), right = try draft("trade.order", .sovereignty)
            let answers = session.submit([[right], [wrong], [right]]) + session.settle()
            return answers.map { (try? $0.get()) != nil }
        }
        #expect(others == [true, false, false])
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("no key rotation, release or other entry of the house is stopped by it")
    func ownEntries() throws {
        let machine = try SimulatedMachine.governed()
        let everything = ["sovereignty", "integrity", "resilience", "evolution"].enumerated().map { index, pillar in
            "\(pillar) = [\"\(["trade", "deploy", "a", "b"][index])\"]"
        }
        try machine.carryOut(machine.adoption("[pillars]\n" + everything.joined(separator: "\n"), by: [ada, bob]))
        try machine.write { session in _ = try session.rotateKey(reason: "test") }
        try machine.append(40...41)
    }

    @Test("a crash at any operation of an adoption leaves it done or not, and whoever comes next goes on")
    func crashes() async throws {
        let start = try SimulatedMachine.governed(count: 3)
        let request = try start.adoption(trade, threshold: 3, by: [ada, bob])
        for operation in 0..<1000 {
            let machine = start.copy()
            let faulty = try machine.faulty(.at([operation: .crash(.everything)]))
            let error = ledgerError { () throws(LedgerError) in
                var session = WriterSession(faulty, machine.environment, machine.settings)
                try session.acquire()
                defer { session.release() }
                _ = try session.carryOut(request, as: .adopt)
            }
            for disk in machine.disk.crashImages(0..<2) {
                let after = SimulatedMachine(machine, disk)
                try after.append(30...30)
                if try after.associates().constitution == nil { try after.carryOut(request) }
                #expect(try after.associates().threshold == 3)
                #expect(try refusal(after, [draft("trade.order", .integrity)])?.code == .refused)
                #expect(try await after.audit().verdict == .intact, "operation \(operation)")
            }
            if error == nil { return #expect(operation > 5) }
        }
        Issue.record("it never came to its end")
    }
}

@Suite("A constitution whose adoption is lost")
struct ConstitutionRepairTests {
    private let trade = "[pillars]\nsovereignty = [\"trade.\"]\n"

    /// The house, a constitution its last act, and perhaps entries behind it.
    private func adopted(threshold: Int = 2, more: ClosedRange<Int>? = nil) throws -> (
        SimulatedMachine, SignedRequest, seq: UInt64
    ) {
        let machine = try SimulatedMachine.governed()
        let request = try machine.adoption(trade, threshold: threshold, by: [ada, bob])
        let seq = try machine.carryOut(request).seq
        if let more { try machine.append(more) }
        return (machine, request, seq)
    }

    private func expectConstitution(_ machine: SimulatedMachine, by signers: [ActorSigner] = [ada, bob], _ note: String = "")
        async throws
    {
        try await machine.expectReleasable(by: signers, note)
        let constitution = try #require(try machine.associates().constitution, "\(note)")
        #expect(constitution.articles.pillars == [.sovereignty: ["trade"]], "\(note)")
        let text = try constitution.text(in: LedgerView(machine.storage()), machine.environment)
        #expect(text.hasPrefix(trade), "\(note)")
    }

    @Test("its entry is whole, or legible, or the request was kept: the signatures prove it, and the repair's entry has the text")
    func proven() async throws {
        for more in [nil, 30...60] as [ClosedRange<Int>?] {
            let (machine, request, seq) = try adopted(more: more)
            let (legible, kept) = (machine.copy(), machine.copy())
            try machine.damage(seq - 1)
            #expect(try #require(try machine.repair().plan).mending.acts.map(\.request) == [request])
            try await expectConstitution(machine, "whole")
            try legible.damage(seq)
            try legible.repair()
            try await expectConstitution(legible, "legible")
            try kept.destroy(seq)
            let forgetful = kept.copy()
            let plan = try #require(try forgetful.repair().plan)
            #expect(plan.mending.acts.isEmpty && (plan.lostConstitution != nil) == (more != nil))
            #expect(try forgetful.associates().constitution == nil)
            try await forgetful.expectReleasable()
            try kept.repair { $0.requests = [request] }
            try await expectConstitution(kept, "kept")
        }
    }

    @Test("attacks: what was signed and never adopted, and would lock an enrolled actor out, does not count")
    func lockingOut() async throws {
        let machine = try SimulatedMachine.governed()
        let request = try machine.adoption("classes = [\"operator\"]", by: [ada, bob])
        try machine.write { session in _ = try session.enroll("user:olga", as: "worker", eve.key, reason: "test") }
        let seq = try machine.append(30...30)[0].seq
        try machine.damage(seq)
        let error = #expect(throws: LedgerError.self) { try machine.repair { $0.requests = [request] } }
        #expect(error?.code == .refused && error?.message.contains("user:olga is enrolled as worker") == true)
        #expect(try #require(try machine.repair().plan).mending.isEmpty)
        #expect(try machine.associates().constitution == nil)
        try await machine.expectReleasable()
    }

    @Test("attacks: what had expired before the damage begins was never carried out there, whether it is given or found")
    func expired() async throws {
        let machine = try SimulatedMachine.governed()
        let removal = SignedRequest.removal(of: carol.key, threshold: 2, reason: "test")
        let requests = [
            try machine.adoption(trade, by: [ada, bob], life: 1),
            try machine.request(.remove, removal, by: [ada, bob], life: 1),
        ]
        let seq = try machine.append(30...31)[1].seq
        try machine.damage(seq)
        for request in requests {
            let error = #expect(throws: LedgerError.self) { try machine.repair { $0.requests = [request] } }
            #expect(error?.code == .refused, "\(String(describing: error))")
            #expect(error?.message.contains("it expired at \(request.expires), and entry \(seq - 1)") == true)
        }
        // They stand where a damaged entry did.
        let place = try machine.place(seq)
        let text = requests.map(\.json.canonicalText).joined()
        machine.setSegment(place.segment, machine.segment(place.segment)[..<place.offset] + Array(text.utf8))
        #expect(try #require(try machine.repair().plan).mending.isEmpty)
        let associates = try machine.associates()
        #expect(associates.constitution == nil && associates.signers == [ada, bob, carol].map(\.key))
        try await machine.expectReleasable()
    }

    @Test("what was carried out in its time counts, though it has expired since")
    func expiredSince() async throws {
        let machine = try SimulatedMachine.governed()
        let request = try machine.adoption(trade, by: [ada, bob], life: 10_000_000)
        let seq = try machine.carryOut(request).seq
        machine.environment.pause(60_000_000)
        try machine.append(30...31)
        try machine.destroy(seq)
        let plan = try #require(try machine.repair { $0.requests = [request] }.plan)
        #expect(plan.mending.acts.map(\.request) == [request])
        try await expectConstitution(machine)
    }

    @Test("the release behind a repair names the constitution that holds, or is refused; without a repair it need not name one")
    func named() async throws {
        let (machine, request, seq) = try adopted()
        let calm = machine.copy()
        try machine.damage(seq)
        try machine.repair()
        let digest = try #require(request.articles).digest.description
        var arguments = try machine.release(by: []).arguments
        #expect(arguments["constitution"]?.string == digest)
        arguments["constitution"] = nil
        let silent = try machine.releaseRefusal(of: machine.request(.release, arguments, by: [ada, bob]))
        #expect(silent?.code == .refused && silent?.message.contains("does not name the constitution") == true)
        arguments["constitution"] = .string(Articles.standard.digest.description)
        let other = try machine.releaseRefusal(of: machine.request(.release, arguments, by: [ada, bob]))
        #expect(other?.code == .refused && other?.message.contains("names another constitution") == true)
        try await expectConstitution(machine)
        try calm.raiseAlert()
        arguments = try calm.release(by: []).arguments
        #expect(arguments["constitution"]?.string == digest)
        arguments["constitution"] = nil
        try calm.open(with: calm.request(.release, arguments, by: [ada, bob]))
        #expect(try await calm.audit().verdict == .intact)
    }

    @Test("how it came to hold: adopted, taken over with a sound entry that tells it, or by its signatures alone")
    func origin() throws {
        func origin(_ machine: SimulatedMachine) throws -> Constitution.Origin {
            let constitution = try #require(try machine.associates().constitution)
            return try constitution.origin(in: LedgerView(machine.storage()), machine.environment)
        }
        for more in [nil, 30...60] as [ClosedRange<Int>?] {
            let (machine, request, seq) = try adopted(more: more)
            let (legible, kept) = (machine.copy(), machine.copy())
            #expect(try origin(machine) == .adopted(by: seq))
            try machine.damage(seq - 1)
            var repair = try #require(try machine.repair().plan).seq
            #expect(try origin(machine) == .told(by: seq, repair: repair))
            try legible.damage(seq)
            repair = try #require(try legible.repair().plan).seq
            let found = try origin(legible)
            if more == nil {
                #expect(found == .signed(repair: repair))
            } else if case .told(let witness, let by) = found {
                // The first entry of a later segment states it.
                #expect(witness > seq && by == repair)
            } else {
                Issue.record("\(found)")
            }
            guard more == nil else { continue }
            try kept.destroy(seq)
            try kept.repair { $0.requests = [request] }
            #expect(try origin(kept).description.contains("nothing sound tells that it was adopted"))
        }
    }

    @Test("a second repair keeps what the first one took over")
    func again() async throws {
        let (machine, _, seq) = try adopted()
        try machine.damage(seq)
        try machine.repair()
        let act = try #require(try machine.associates().constitution?.act)
        try machine.open(with: machine.release(by: [ada, bob]))
        let last = try machine.append(30...31)[0].seq
        try machine.damage(last)
        try machine.repair()
        #expect(try machine.associates().constitution?.act == act)
        try await expectConstitution(machine)
    }

    @Test("attacks: what was signed and never carried out lets nobody sign for fewer, whoever gives it")
    func lowered() async throws {
        let machine = try SimulatedMachine.governed()
        let request = try machine.adoption(threshold: 1, by: [ada, bob])
        let seq = try machine.append(30...30)[0].seq
        try machine.damage(seq)
        let error = #expect(throws: LedgerError.self) { try machine.repair { $0.requests = [request] } }
        #expect(error?.code == .refused && error?.message.contains("what lets fewer sign does not count") == true)
        // It stands where a damaged entry did.
        let place = try machine.place(seq)
        machine.setSegment(
            place.segment, machine.segment(place.segment)[..<place.offset] + Array(request.json.canonicalText.utf8))
        #expect(try #require(try machine.repair().plan).mending.isEmpty)
        #expect(try machine.releaseRefusal(of: machine.release(by: [ada]))?.message.contains("1 of 2") == true)
        try await machine.expectReleasable()
    }

    @Test("while a repair suspends the house, nothing is adopted; an archive keeps the articles")
    func suspended() throws {
        let (machine, _, seq) = try adopted()
        try machine.damage(seq)
        try machine.repair()
        #expect(try machine.openingError()?.code == .locked)
        let associates = try machine.associates()
        let next = try machine.adoption(by: [ada, bob])
        let objection = associates.objectionToChange(of: next)
        #expect(objection?.description.contains("has suspended all") == true)
    }
}
