import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A small damaged ledger, and what must be left of it.
private struct Wreck {
    enum Kind: String, CaseIterable, Sendable { case validHead, missingHead, wrongHead, wholeInAlert, shorterThanHead }

    let kind: Kind
    let machine: SimulatedMachine
    let model: LedgerModel
    let check: RepairCheck
    let lost: Set<Int>
    let calmHead: [UInt8]

    init(_ kind: Kind) throws {
        self.kind = kind
        machine = try SimulatedMachine.segmented(count: 12, segmentByteCount: 2500)
        model = try LedgerModel(machine)
        lost = [.wholeInAlert, .shorterThanHead].contains(kind) ? [] : [3, 7]
        for index in lost { machine.flip(model.frames[index], at: 0.5) }
        switch kind {
        case .validHead: break
        case .missingHead: machine.disk.delete(Layout.head)
        case .wrongHead: machine.disk.setBytes(of: Layout.head, to: machine.headBytes + [0x0A])
        case .wholeInAlert:
            var head = try machine.head()
            head.alert = true
            machine.disk.setBytes(of: Layout.head, to: head.sealed(with: try machine.key()))
        case .shorterThanHead:
            let last = try #require(model.frames.last)
            machine.setSegment(last.segment, Array(machine.segment(last.segment)[..<last.offset]))
        }
        calmHead = machine.headBytes
        check = RepairCheck(model, machine, lost: lost, head: kind == .validHead ? 12 : nil)
    }

    /// The damaged bytes lie somewhere, and no writer gets in but behind a repair that is complete.
    func checkBetween(_ machine: SimulatedMachine, _ note: String) async throws {
        let inPlace =
            machine.segments.count == check.damaged.count
            && machine.segments.allSatisfy {
                machine.segment($0).starts(with: check.damaged[$0] ?? [])
            }
        let folders = Set(machine.disk.files().compactMap(\.parent)).filter { $0.parent == Layout.quarantine }
        let isKept = folders.contains { folder in
            check.damaged.allSatisfy {
                machine.disk.bytes(of: StoragePath(folder, SegmentName.file(firstSeq: $0.key))) == $0.value
            }
        }
        #expect(inPlace || isKept, "the damaged bytes are gone: \(note)")
        if kind == .validHead, machine.headBytes == calmHead {
            // Nothing has begun: the damage lies where a writer does not look.
            #expect(inPlace && machine.disk.bytes(of: Layout.repair) == nil, "\(note)")
            return
        }
        let copy = machine.copy()
        guard try copy.openingError() == nil else { return }
        #expect(try await copy.audit().verdict == .intact, "a writer was let in: \(note)")
        #expect(try copy.count("ledger.repaired") > 0, "a writer was let in: \(note)")
    }

    func checkEnd(_ machine: SimulatedMachine, _ note: String) async throws {
        if !lost.isEmpty { return try await check.check(machine, note: note) }
        let after = try LedgerModel(machine)
        let kept = kind == .shorterThanHead ? model.frames.dropLast() : model.frames[...]
        #expect(after.frames.map(\.bytes).starts(with: kept.map(\.bytes)), "\(note)")
        #expect(after.frames.contains { $0.action == "ledger.repaired" }, "\(note)")
        #expect(try await machine.audit().verdict == .intact && !machine.head().alert, "\(note)")
    }
}

@Suite("Repair: killed, failed and torn at every operation")
struct RepairCrashTests {
    @Test("killed at every operation, and the power cut there: the next repair completes it", arguments: Wreck.Kind.allCases)
    fileprivate func crashes(kind: Wreck.Kind) async throws {
        let wreck = try Wreck(kind)
        var fired = 0
        for progress in [Fault.Progress.nothing, .bytes(700), .everything] {
            for number in 0... {
                let machine = wreck.machine.copy()
                let storage = try machine.faulty(.at([number: .crash(progress)]))
                _ = try? machine.repair(storage)
                guard let fault = storage.fired.first else { break }
                // A kill at a reading is one behind the change before.
                guard fault.operation.kind.isChange else { continue }
                fired += 1
                for (index, disk) in ([machine.disk.copy()] + machine.disk.crashImages(0..<2)).enumerated() {
                    let note = "\(fault), image \(index)"
                    let next = SimulatedMachine(machine, disk)
                    try await wreck.checkBetween(next, note)
                    _ = try next.repair()
                    try await wreck.checkEnd(next, note)
                }
            }
        }
        #expect(fired > 15)
    }

    @Test("killed again while it is brought to its end", arguments: Wreck.Kind.allCases, 0..<3 as Range<UInt64>)
    fileprivate func twice(kind: Wreck.Kind, seed: UInt64) async throws {
        let wreck = try Wreck(kind)
        var random = SeededGenerator(seed: seed)
        // In place there are fewer changes.
        let changeCount = wreck.lost.isEmpty ? 10 : 60
        var fired = 0
        for _ in 0..<25 {
            let machine = wreck.machine.copy()
            let count = Mutex(1 + random.below(changeCount))
            let storage = try machine.faulty(Self.crash(atChange: count, &random))
            _ = try? machine.repair(storage)
            var next = SimulatedMachine(
                machine, random.coin() ? machine.disk.copy() : machine.disk.crashImage(seed: random.next()))
            let again = Mutex(1 + random.below(changeCount))
            let second = try next.faulty(Self.crash(atChange: again, &random))
            _ = try? next.repair(second)
            let note = "seed \(seed): \(storage.fired), then \(second.fired)"
            next = SimulatedMachine(next, random.coin() ? next.disk.copy() : next.disk.crashImage(seed: random.next()))
            try await wreck.checkBetween(next, note)
            _ = try next.repair()
            try await wreck.checkEnd(next, note)
            fired += storage.fired.count + second.fired.count
        }
        #expect(fired > 1)
    }

    /// Stops the process at a change, with some of it done.
    private static func crash(atChange count: consuming Mutex<Int>, _ random: inout SeededGenerator) -> FaultPlan {
        let progress = [Fault.Progress.nothing, .bytes(random.below(900)), .everything][random.below(3)]
        let countdown = Countdown(count)
        return .rule { _, operation in operation.kind.isChange && countdown.isOver ? .crash(progress) : nil }
    }

    private final class Countdown: Sendable {
        private let left: Mutex<Int>
        init(_ left: consuming Mutex<Int>) { self.left = left }
        var isOver: Bool {
            left.withLock {
                $0 -= 1
                return $0 == 0
            }
        }
    }

    @Test(
        "EIO and ENOSPC at every operation: an error, nothing lost, and the next repair completes it",
        arguments: Wreck.Kind.allCases,
        [Fault.fail(.ioError), .fail(.noSpace), .failSynchronize, .shortWrite(bytes: 100, .noSpace)])
    fileprivate func failures(kind: Wreck.Kind, fault: Fault) async throws {
        let wreck = try Wreck(kind)
        var errors = 0
        for number in 0... {
            let machine = wreck.machine.copy()
            let storage = try machine.faulty(.at([number: fault]))
            let error = ledgerError { () throws(LedgerError) in _ = try Self.run(machine, storage) }
            if storage.fired.isEmpty, number >= storage.trace.count { break }
            guard let fired = storage.fired.first else { continue }
            if kind != .validHead, !fired.operation.kind.isChange { continue }
            let note = "\(fired)"
            if error != nil { errors += 1 }
            #expect(machine.lockIsFree, "\(note)")
            try await wreck.checkBetween(machine, note)
            _ = try machine.repair()
            try await wreck.checkEnd(machine, note)
        }
        #expect(errors > 1)
    }

    private static func run(_ machine: SimulatedMachine, _ storage: any Storage) throws(LedgerError) -> Repair.Outcome {
        try Repair(machine.environment, machine.settings).run(storage)
    }

    @Test("a plan that is damaged, forged, another ledger's or old is no danger")
    func plans() async throws {
        let wreck = try Wreck(.validHead)
        // The plan as it lies there when the directories changed places.
        let killed = wreck.machine.copy()
        let storage = try killed.faulty(.rule { _, operation in operation.kind == .exchange ? .crash(.everything) : nil })
        _ = try? killed.repair(storage)
        let plan = try #require(killed.disk.bytes(of: Layout.repair))
        var flipped = plan
        flipped[plan.count / 2] ^= 1
        let forged = Array(String(decoding: plan, as: UTF8.self).replacing("\"seq\":14", with: "\"seq\":15").utf8)
        #expect(forged != plan)
        let files: [(String, [UInt8])] = [
            ("whole", plan), ("damaged", flipped), ("forged", forged), ("cut", Array(plan.dropLast(9))), ("empty", []),
            ("large", [UInt8](repeating: 0x20, count: 5 << 20)),
        ]
        for (name, bytes) in files {
            let machine = wreck.machine.copy()
            machine.disk.put(bytes, at: Layout.repair)
            try machine.repair()
            try await wreck.check.check(machine, note: name)
        }
        // It comes back long after, when the ledger was cut behind what it made.
        let machine = killed.copy()
        try machine.repair()
        try machine.append(1...5)
        let model = try LedgerModel(machine)
        let last = try #require(model.frames.last)
        machine.setSegment(last.segment, Array(machine.segment(last.segment)[..<last.offset]))
        machine.disk.put(plan, at: Layout.repair)
        let outcome = try machine.repair()
        #expect(outcome.receipt?.seq == last.seq + 1, "the loss is recorded, and the seq not used again")
        #expect(machine.disk.bytes(of: Layout.repair) == nil)
        #expect(try await machine.audit().verdict == .intact)
        // And to a ledger that is whole and in alert: the release is recorded.
        var head = try machine.head()
        head.alert = true
        machine.disk.setBytes(of: Layout.head, to: head.sealed(with: try machine.key()))
        machine.disk.put(plan, at: Layout.repair)
        #expect(try machine.repair().receipt?.seq == last.seq + 2)
        // To a calm one: it is removed.
        machine.disk.put(plan, at: Layout.repair)
        #expect(try machine.repair().receipt == nil)
        #expect(machine.disk.bytes(of: Layout.repair) == nil)
    }

    @Test("what was built and is not what was written never takes the ledger's place")
    func builtIsRead() async throws {
        let wreck = try Wreck(.validHead)
        let machine = wreck.machine.copy()
        let disk = machine.disk
        let done = Once()
        // Behind the last sync of the building, a byte of it rots.
        let storage = try machine.faulty(
            .rule { _, operation in
                guard operation.kind == .synchronizeDirectory, operation.path?.parent == Layout.quarantine, done.isFirst,
                    let path = disk.files().last(where: { $0.parent == operation.path })
                else { return nil }
                disk.flip(1, at: 40, of: path)
                return nil
            })
        let error = #expect(throws: LedgerError.self) { try machine.repair(storage) }
        #expect(error?.code == .inputOutput)
        for (segment, bytes) in wreck.check.damaged { #expect(machine.segment(segment) == bytes) }
        try machine.repair()
        try await wreck.check.check(machine)
    }

    @Test("the alert and the plan are on the disk before anything is built, and the ledger before it changes places")
    func order() throws {
        let wreck = try Wreck(.validHead)
        let machine = wreck.machine
        let disk = machine.disk
        let seen = Mutex<[String]>([])
        let model = wreck.model
        let ledger = try #require(try LedgerView(machine.storage()).validHead)
        let storage = try machine.faulty(
            .rule { _, operation in
                let durable = disk.durableImage()
                if operation.kind == .makeDirectory {
                    let head = durable.bytes(of: Layout.head) ?? []
                    if !String(decoding: head, as: UTF8.self).contains("\"alert\":true") {
                        seen.withLock { $0.append("no alert") }
                    }
                    if durable.bytes(of: Layout.repair) == nil { seen.withLock { $0.append("no plan") } }
                }
                if operation.kind == .exchange {
                    seen.withLock { $0.append("exchange") }
                    let first = durable.files().first { $0.parent?.parent == Layout.quarantine }
                    let bytes = first.flatMap { durable.bytes(of: $0) } ?? []
                    if !bytes.starts(with: model.frames[0].bytes) { seen.withLock { $0.append("not built") } }
                }
                return nil
            })
        try machine.repair(storage)
        #expect(seen.withLock { $0 } == ["exchange"])
        #expect(ledger.seq == 13)
    }
}
