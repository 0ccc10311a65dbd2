import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import SystemPackage
import TestSupport
import Testing

extension SimulatedMachine {
    /// A ledger of many small segments.
    static func segmented(count: Int, segmentByteCount: Int = 60_000, seed: UInt64 = 1) throws -> SimulatedMachine {
        var settings = WriterSettings()
        settings.segmentByteCount = segmentByteCount
        settings.preallocationByteCountMax = 0
        return try SimulatedMachine(seed: seed, count: count, settings: settings)
    }

    /// Whether the first entry named associates, however it is damaged.
    private var isGoverned: Bool { segment(1).prefix(4096).firstRange(of: Array(#""associates":{"#.utf8)) != nil }

    /// Of a ledger without associates it is said that it has none.
    @discardableResult
    func repair(_ storage: (any Storage)? = nil, _ change: (inout Repair) -> Void = { _ in }) throws -> Repair.Outcome {
        var repair = Repair(environment, settings)
        if !isGoverned { repair.naming = .nobody }
        change(&repair)
        return try repair.run(storage ?? self.storage())
    }

    /// Changes one bit of a frame, `fraction` of the way through it.
    func flip(_ frame: LedgerModel.Frame, at fraction: Double) {
        let offset = frame.offset + min(frame.bytes.count - 1, Int(fraction * Double(frame.bytes.count)))
        disk.flip(1, at: offset, of: SegmentReader.path(ofSegment: frame.segment))
    }
}

@Suite("Repair: no entry whose bytes are intact is lost")
struct RepairTests {
    /// Where in a segment, or in the ledger, the damage lies.
    enum Position: String, CaseIterable { case first, middle, last }
    /// Where in a frame.
    enum Spot: Double, CaseIterable { case header = 0.0, body = 0.5, seal = 0.9, end = 1.0 }

    /// A thousand entries behind the first, in ten segments, made once.
    private static let thousand: (machine: SimulatedMachine, model: LedgerModel)? = {
        guard let machine = try? SimulatedMachine.segmented(count: 1000), let model = try? LedgerModel(machine) else {
            return nil
        }
        return (machine, model)
    }()

    private func thousand() throws -> (SimulatedMachine, LedgerModel) {
        let (machine, model) = try #require(Self.thousand)
        #expect(model.segments.count >= 8)
        return (machine.copy(), model)
    }

    private func indices(_ model: LedgerModel, in position: Position) -> [Int] {
        let segments = model.segments.keys.sorted()
        let segment =
            switch position {
            case .first: segments[0]
            case .middle: segments[segments.count / 2]
            case .last: segments[segments.count - 1]
            }
        return model.frames.indices.filter { model.frames[$0].segment == segment }
    }

    @Test(
        "one, two and twenty damaged ranges, in each segment and each part of a frame", arguments: Position.allCases, [1, 2, 20])
    func matrix(position: Position, count: Int) async throws {
        for spot in Spot.allCases {
            let (machine, model) = try thousand()
            let indices = indices(model, in: position)
            // The first and the last frame of the segment are among them.
            let lost = count == 1 ? [indices[0]] : (0..<count).map { indices[$0 * (indices.count - 1) / (count - 1)] }
            for index in lost { machine.flip(model.frames[index], at: spot.rawValue) }
            let check = RepairCheck(model, machine, lost: Set(lost), head: 1000)
            let outcome = try machine.repair()
            let plan = try #require(outcome.plan)
            #expect(plan.lostCount == UInt64(lost.count) && plan.damages.count >= 1)
            #expect(plan.damages.allSatisfy { $0.digest != nil })
            try await check.check(machine, note: "\(spot)")
        }
    }

    @Test("a segment that is gone, is empty, or is NULs", arguments: Position.allCases, ["gone", "empty", "NULs"])
    func missing(position: Position, how: String) async throws {
        let (machine, model) = try thousand()
        let lost = indices(model, in: position)
        let segment = model.frames[lost[0]].segment
        let path = SegmentReader.path(ofSegment: segment)
        switch how {
        case "gone": machine.disk.delete(path)
        case "empty": machine.disk.setBytes(of: path, to: [])
        default: machine.disk.setBytes(of: path, to: [UInt8](repeating: 0, count: model.segments[segment]?.count ?? 0))
        }
        let check = RepairCheck(model, machine, lost: Set(lost), head: 1000)
        let outcome = try machine.repair()
        if position == .last {
            // What is left is whole, but shorter than HEAD: the gap is recorded in its place.
            let after = try LedgerModel(machine)
            #expect(after.frames.dropLast().map(\.bytes) == model.frames[..<lost[0]].map(\.bytes))
            #expect(outcome.receipt?.seq == 1002 && outcome.plan?.lostCount == UInt64(lost.count))
            #expect(try await machine.audit().verdict == .intact)
            #expect(try !machine.head().alert)
            try machine.append(1...1)
            #expect(try await machine.audit().verdict == .intact)
        } else {
            try await check.check(machine)
        }
    }

    @Test("nothing to mend: not a byte is written")
    func nothing() throws {
        let machine = try SimulatedMachine.segmented(count: 30, segmentByteCount: 5000)
        let before = machine.files
        let outcome = try machine.repair()
        #expect(outcome.receipt == nil && outcome.plan?.isNeeded == false)
        #expect(machine.files == before)
        if case .mend(let plan) = try Repair(machine.environment, machine.settings).prospect(machine.storage()) {
            #expect(!plan.isNeeded)
        } else {
            Issue.record("nothing was interrupted")
        }
        #expect(machine.files == before)
    }

    @Test("a torn tail is mended by opening, and is no repair")
    func tornTail() async throws {
        let machine = try SimulatedMachine.segmented(count: 5)
        try machine.appendUnvouched(6...7)
        machine.setSegment(1, Array(machine.segment().dropLast(20)))
        let outcome = try machine.repair()
        #expect(outcome.receipt == nil && !outcome.notices.isEmpty)
        #expect(try machine.count("ledger.tail_cut") == 1 && machine.count("ledger.repaired") == 0)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("a whole ledger in alert is released, and that is recorded; nothing else changes")
    func released() async throws {
        let machine = try SimulatedMachine.segmented(count: 20, segmentByteCount: 5000)
        let model = try LedgerModel(machine)
        var head = try machine.head()
        head.alert = true
        machine.disk.setBytes(of: Layout.head, to: head.sealed(with: try machine.key()))
        #expect(try machine.openingError()?.code == .locked)
        let outcome = try machine.repair()
        #expect(outcome.receipt?.seq == 22 && outcome.evidence == nil)
        let after = try LedgerModel(machine)
        #expect(after.frames.dropLast().map(\.bytes) == model.frames.map(\.bytes))
        #expect(after.frames.last?.action == "ledger.repaired" && after.frames.last?.body["gap"] == nil)
        #expect(try !machine.head().alert && machine.openingError() == nil)
        #expect(try await machine.audit().verdict == .intact)
        #expect(machine.evidence.isEmpty)
    }

    enum BadHead: String, CaseIterable { case missing, empty, flipped, longer, foreign, old }

    /// - Returns: whether HEAD is valid still.
    private func spoil(_ how: BadHead, _ machine: SimulatedMachine) throws -> Bool {
        switch how {
        case .missing: machine.disk.delete(Layout.head)
        case .empty: machine.disk.setBytes(of: Layout.head, to: [])
        case .flipped:
            let mac = try #require(machine.headBytes.firstRange(of: Array("\"mac\":\"".utf8))).upperBound
            var bytes = machine.headBytes
            bytes[mac] = bytes[mac] == 0x30 ? 0x31 : 0x30
            machine.disk.setBytes(of: Layout.head, to: bytes)
        case .longer: machine.disk.setBytes(of: Layout.head, to: machine.headBytes + [0x0A])
        case .foreign:
            let other = try SimulatedMachine(seed: 99, count: 3)
            machine.disk.setBytes(of: Layout.head, to: other.headBytes)
        case .old: return true
        }
        return false
    }

    @Test("HEAD is missing, wrong, another ledger's, or as it was long ago; the ledger is whole", arguments: BadHead.allCases)
    func badHead(how: BadHead) async throws {
        let machine = try SimulatedMachine.segmented(count: 20, segmentByteCount: 5000)
        let old = machine.headBytes
        try machine.append(21...30)
        let model = try LedgerModel(machine)
        if how == .old { machine.disk.setBytes(of: Layout.head, to: old) }
        _ = try spoil(how, machine)
        let faulty = machine.headBytes
        let outcome = try machine.repair()
        let after = try LedgerModel(machine)
        #expect(after.frames.map(\.bytes).starts(with: model.frames.map(\.bytes)))
        #expect(try await machine.audit().verdict == .intact && !machine.head().alert)
        if how == .old {
            // The longer chain is adopted, as by every writer.
            #expect(outcome.receipt == nil)
        } else {
            #expect(try outcome.receipt?.seq == machine.entries().last?.seq)
            #expect(after.frames.last?.action == "ledger.repaired")
            if !faulty.isEmpty { #expect(machine.evidence.values.contains(faulty)) }
        }
        try machine.append(31...31)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("HEAD is missing or wrong, and the ledger is damaged: nothing is proven, and nothing lost", arguments: BadHead.allCases)
    func badHeadAndDamage(how: BadHead) async throws {
        let machine = try SimulatedMachine.segmented(count: 20, segmentByteCount: 5000)
        let old = machine.headBytes
        try machine.append(21...30)
        let model = try LedgerModel(machine)
        machine.flip(model.frames[10], at: 0.5)
        if how == .old { machine.disk.setBytes(of: Layout.head, to: old) }
        let isValid = try spoil(how, machine)
        let faulty = machine.headBytes
        let check = RepairCheck(model, machine, lost: [10], head: isValid ? 20 : nil)
        try machine.repair()
        try await check.check(machine)
        if !isValid, !faulty.isEmpty { #expect(machine.evidence.values.contains(faulty)) }
    }

    @Test("the first entry is damaged: the ledger goes on without it", arguments: Spot.allCases)
    func genesis(spot: Spot) async throws {
        let machine = try SimulatedMachine.segmented(count: 20, segmentByteCount: 5000)
        let model = try LedgerModel(machine)
        machine.flip(model.frames[0], at: spot.rawValue)
        let check = RepairCheck(model, machine, lost: [0], head: 20)
        try machine.repair()
        try await check.check(machine)
    }

    @Test("the first entry names another ledger by damage, and the last is damaged too: no seq is used again")
    func genesisOfAnotherLedger() async throws {
        let machine = try SimulatedMachine.segmented(count: 20, segmentByteCount: 5000)
        let model = try LedgerModel(machine)
        let id = try #require(machine.segment().firstRange(of: Array("\"ledger\":\"".utf8))).upperBound
        var bytes = machine.segment()
        bytes[id] = bytes[id] == 0x30 ? 0x31 : 0x30
        machine.setSegment(1, bytes)
        machine.flip(model.frames[20], at: 0.5)
        let check = RepairCheck(model, machine, lost: [0, 20], head: 20)
        try machine.repair()
        try await check.check(machine)
    }

    @Test("not one frame is sound: only HEAD says what was there", arguments: [true, false])
    func everything(withHead: Bool) async throws {
        let machine = try SimulatedMachine.segmented(count: 6)
        let model = try LedgerModel(machine)
        for frame in model.frames { machine.flip(frame, at: 0.3) }
        if !withHead { machine.disk.delete(Layout.head) }
        let before = machine.files
        if withHead {
            let check = RepairCheck(model, machine, lost: Set(0...6), head: 6)
            try machine.repair()
            try await check.check(machine)
        } else {
            // Whether the first entry has still the form of one decides which words are said.
            _ = #expect(throws: LedgerError.self) { try machine.repair() }
            #expect(machine.files == before)
        }
    }

    @Test("more damages than are wanted: refused, and only the alert is raised")
    func tooMany() throws {
        let machine = try SimulatedMachine.segmented(count: 30)
        let model = try LedgerModel(machine)
        for index in stride(from: 3, through: 27, by: 3) { machine.flip(model.frames[index], at: 0.5) }
        let before = machine.files
        let error = #expect(throws: LedgerError.self) { try machine.repair { $0.skipCountMax = 5 } }
        #expect(error?.code == .tampered && error?.message.contains("--max-skips") == true)
        #expect(machine.files.besidesAlert == before.besidesAlert)
        try machine.repair { $0.skipCountMax = 9 }
        #expect(try machine.openingError() == nil)
    }

    @Test("thousands of damages: the entry that names them still fits into a frame")
    func veryMany() async throws {
        let machine = try SimulatedMachine.segmented(count: 2600, segmentByteCount: 1 << 20)
        let model = try LedgerModel(machine)
        let lost = Set(stride(from: 1, through: 2599, by: 2))
        for index in lost { machine.flip(model.frames[index], at: 0.5) }
        let check = RepairCheck(model, machine, lost: lost, head: 2600)
        try machine.repair { $0.skipCountMax = 5000 }
        try await check.check(machine)
        let body = try #require(try machine.entries().first { $0.action == "ledger.repaired" }).body
        #expect(try JSON(parsing: body)["more_damages"]?.integer == Int64(lost.count - 1000))
    }
}

@Suite("Repair: decisions, doubles, keys, sizes")
struct RepairSurvivorTests {
    /// Entries alone and decisions of three, in turn.
    private func decisions(_ rounds: Int) throws -> SimulatedMachine {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 8000)
        try machine.write { session in
            for round in 1...rounds {
                try session.record(TestLedger.draft(round * 10))
                try session.decide((1...3).map { TestLedger.draft(round * 10 + $0) })
            }
        }
        return machine
    }

    @Test("damage in and before decisions: only whole ones are proven, all are kept", arguments: Array(1...18))
    func decisions(index: Int) async throws {
        let machine = try decisions(4)
        let model = try LedgerModel(machine)
        #expect(model.frames.count == 19)
        machine.flip(model.frames[index], at: 0.6)
        let check = RepairCheck(model, machine, lost: [index], head: 18)
        try machine.repair()
        try await check.check(machine, note: "\(index)")
    }

    @Test("frames that stand twice, stand in another place, or are another ledger's")
    func disorder() async throws {
        let machine = try SimulatedMachine.segmented(count: 20)
        let model = try LedgerModel(machine)
        func frame(_ index: Int) -> [UInt8] { model.frames[index].bytes }
        let foreign = try LedgerModel(SimulatedMachine(seed: 77, count: 5)).frames[3].bytes
        let order = [0, 1, 2, 3, 4, 6, 5, 7, 8, 8, 9, 2, 10, 12, 11, 13, 14]
        let bytes = order.flatMap(frame) + foreign + (15...20).flatMap(frame) + frame(4)
        machine.setSegment(1, bytes)
        let damaged = machine.segment()
        let outcome = try machine.repair()
        let after = try LedgerModel(machine)
        #expect(after.frames[..<5].map(\.bytes) == model.frames[..<5].map(\.bytes))
        let readmitted = after.frames.filter { $0.isProven != nil }
        #expect(readmitted.map(\.own) == Array(6...21))
        #expect(readmitted.map(\.payload) == model.frames[5...].map(\.payload))
        // Links from HEAD lead to all of them, wherever they stand.
        #expect(readmitted.allSatisfy { $0.isProven == true })
        #expect(outcome.plan?.survivors.leftOutCount == 3 && outcome.plan?.lostCount == 0)
        #expect(try await machine.audit().verdict == .intact)
        #expect(machine.disk.files().contains { machine.disk.bytes(of: $0) == damaged && $0.parent?.parent == Layout.quarantine })
    }

    @Test("a forged HEAD that names another ledger proves nothing")
    func forgedHead() throws {
        let machine = try SimulatedMachine.segmented(count: 10)
        let model = try LedgerModel(machine)
        var head = try machine.head()
        head.ledger = LedgerID(1, 2)
        head.key = KeyID(3)
        machine.disk.setBytes(of: Layout.head, to: head.sealed(with: TestLedger.key))
        machine.flip(model.frames[4], at: 0.5)
        let outcome = try machine.repair()
        #expect(outcome.plan?.survivors.provenCount == 0 && outcome.plan?.survivors.unprovenCount == 6)
    }

    @Test("the largest entries fit into what takes them over")
    func largest() async throws {
        let machine = try SimulatedMachine.segmented(count: 2, segmentByteCount: 5 << 20)
        var size = Limits.draftPayload
        try machine.write { session in
            for number in 3...8 {
                // The greatest that is not refused.
                while (try? session.record(TestLedger.draft(number, size: size))) == nil { size -= 1 }
            }
        }
        #expect(size > Limits.draftPayload - 1000)
        let model = try LedgerModel(machine)
        machine.flip(model.frames[1], at: 0.5)
        let check = RepairCheck(model, machine, lost: [1], head: 8)
        try machine.repair()
        try await check.check(machine)
        #expect(machine.segments.count > 1)
    }

    @Test("keys: the damage takes a rotation along, or stands before, between or behind two", arguments: Array(1...12))
    func rotated(index: Int) async throws {
        let machine = try SimulatedMachine.segmented(count: 3)
        _ = try machine.write { session in try session.rotateKey(reason: "test") }
        try machine.append(4...6)
        _ = try machine.write { session in try session.rotateKey(reason: "test") }
        try machine.append(7...9)
        let model = try LedgerModel(machine)
        #expect(model.frames.count == 12)
        let head = try LedgerView(machine.storage()).validHead
        machine.flip(model.frames[index - 1], at: 0.5)
        try machine.repair()
        #expect(try await machine.audit().verdict == .intact)
        let after = try LedgerModel(machine)
        let owns = after.frames.filter { $0.isProven != nil || $0.seq <= 12 }.map(\.own)
        #expect(owns == (1...12).map(UInt64.init).filter { $0 != UInt64(index) })
        let now = try #require(try LedgerView(machine.storage()).validHead)
        #expect(now.key == head?.key && !now.alert)
        try machine.append(10...10)
        #expect(try await machine.audit().verdict == .intact)
    }

    @Test("an old HEAD, under an old key, calls no old key back")
    func oldHeadOldKey() async throws {
        let machine = try SimulatedMachine.segmented(count: 3)
        let old = machine.headBytes
        _ = try machine.write { session in try session.rotateKey(reason: "test") }
        try machine.append(4...9)
        machine.disk.setBytes(of: Layout.head, to: old)
        let model = try LedgerModel(machine)
        machine.flip(model.frames[8], at: 0.5)
        try machine.repair()
        #expect(try await machine.audit().verdict == .intact)
        #expect(try LedgerModel(machine).frames.filter { $0.isProven != nil }.map(\.own) == [10, 11])
    }
}

@Suite("Repair: again and again")
struct RepeatedRepairTests {
    @Test("each entry of a repaired ledger is damaged in turn", arguments: [false, true])
    func second(isRotated: Bool) async throws {
        let machine = try SimulatedMachine.segmented(count: 12, segmentByteCount: 4000)
        if isRotated { _ = try machine.write { session in try session.rotateKey(reason: "test") } }
        try machine.append(13...16)
        let first = try LedgerModel(machine)
        machine.flip(first.frames[5], at: 0.5)
        if isRotated { machine.flip(first.frames[13], at: 0.5) }
        try machine.repair()
        try machine.append(17...20)
        let model = try LedgerModel(machine)
        for index in model.frames.indices {
            let copy = machine.copy()
            copy.flip(model.frames[index], at: 0.5)
            if isRotated {
                // The key that HEAD names may be another than the first file's.
                try copy.repair()
                #expect(try await copy.audit().verdict == .intact, "\(index)")
                let after = try LedgerModel(copy)
                for (other, frame) in model.frames.enumerated() where other != index {
                    #expect(after.frames.count { $0.payload == frame.payload } == 1, "\(index), \(other)")
                }
            } else {
                let check = RepairCheck(model, copy, lost: [index], head: model.frames.count - 1)
                try copy.repair()
                try await check.check(copy, note: "\(index)")
            }
        }
    }

    @Test("random damage in many rounds", arguments: 0..<12 as Range<UInt64>)
    func rounds(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let machine = try SimulatedMachine.segmented(
            count: 20 + random.below(60), segmentByteCount: [3000, 9000, 1 << 20][random.below(3)], seed: seed)
        for round in 0..<5 {
            let model = try LedgerModel(machine)
            var lost: Set<Int> = []
            for _ in 0...random.below(4) {
                let start = random.below(model.frames.count)
                for index in start..<min(model.frames.count, start + 1 + random.below(5)) {
                    guard lost.insert(index).inserted else { continue }
                    machine.flip(model.frames[index], at: Double(random.below(1000)) / 1000)
                }
            }
            var head: Int? = model.frames.count - 1
            if random.below(4) == 0 {
                machine.disk.delete(Layout.head)
                head = nil
            }
            let note = "seed \(seed), round \(round): \(lost.sorted())"
            if head == nil, lost.contains(0), (try? LedgerView(machine.storage()).ledger) ?? nil == nil {
                // Nothing says which ledger it is.
                #expect(throws: LedgerError.self) { try machine.repair() }
                return
            }
            let check = RepairCheck(model, machine, lost: lost, head: head)
            try machine.repair()
            try await check.check(machine, note: note)
            try machine.append(1000 + round * 10...1000 + round * 10 + random.below(9))
        }
    }

    @Test("a repair that finds no room gives back what it took, and can be made again")
    func noRoom() throws {
        let machine = try SimulatedMachine(count: 20)
        machine.flip(try LedgerModel(machine).frames[9], at: 0.5)
        let storage = try machine.faulty(
            .rule { _, operation in
                let isBuilt = operation.path?.directory?.hasPrefix("quarantine/ledger-") == true
                return operation.kind == .synchronize && isBuilt ? .fail(.noSpace) : nil
            })
        let error = #expect(throws: LedgerError.self) { try Repair(machine.environment, machine.settings).run(storage) }
        #expect(error?.code == .inputOutput && error?.message.contains("the damaged one stays as it is") == true)
        #expect(!machine.files.keys.contains { $0.directory?.hasPrefix("quarantine/ledger-") == true })
        try machine.repair()
        #expect(try machine.entries().contains { $0.action == "ledger.repaired" })
    }
}
