import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import Synchronization
import TestSupport

/// Every single bit of what lies in `snapshots/`: a copy that is not what was sealed is ignored, and that is said.
final class SnapshotFlips: Stage {
    let name = "snapshot-flips"
    let subject =
        "every single bit of a snapshot and of the sealed position of audits, flipped: ignored with a notice, and state and verdict stay"
    let unit = "bits"
    let mustFire = ["snapshot", "position of audits"]
    let caseCountToFire = 200

    private let ledger = Mutex<CachedLedger?>(nil)

    /// A case is a byte.
    func caseCount(_ setting: Setting) throws -> Int {
        let byteCount = try made(setting).byteCount
        return setting.level == .test ? min(200, byteCount) : byteCount
    }

    func worker(_ setting: Setting) throws -> any Worker { SnapshotFlipWorker(ledger: try made(setting).copy()) }

    private func made(_ setting: Setting) throws -> CachedLedger {
        try ledger.withLock { ledger in
            if let ledger { return ledger }
            let made = try CachedLedger(setting)
            ledger = made
            return made
        }
    }
}

private struct SnapshotFlipWorker: Worker {
    let ledger: CachedLedger

    func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        let (path, offset) = ledger.target(number)
        for bit in 0..<8 {
            let mask = UInt8(1) << UInt8(bit)
            ledger.machine.disk.flip(mask, at: offset, of: path)
            let complaint = try await path == Layout.audit ? ledger.auditComplaint() : ledger.stateComplaint()
            ledger.machine.disk.flip(mask, at: offset, of: path)
            if let complaint { tally.fail("\(path), byte \(offset), bit \(bit): \(complaint)") }
            tally.done += 1
        }
        tally.fire(path == Layout.audit ? "position of audits" : "snapshot", 8)
    }
}

/// A ledger in memory with a snapshot of its documents in its midst, and an audit that has come as far.
private struct CachedLedger: Sendable {
    private(set) var machine: SimulatedMachine
    /// What the documents are, as the harness set them.
    private let root: JSON
    private let snapshot: (path: StoragePath, byteCount: Int)
    private let order: Scattered

    init(_ setting: Setting) throws {
        let half = setting.level == .test ? 50 : 500
        machine = try SimulatedMachine(seed: setting.seed)
        var root: JSONObject = [:]
        try Self.set(1...half, &root, machine)
        var decider = Decider(try machine.storage(), machine.environment, machine.settings)
        let seq = try decider.snapshot(of: Documents.self)
        try Self.set(half + 1...2 * half, &root, machine)
        self.root = .object(root)
        let path = SnapshotFolder<Documents>.path(of: seq)
        snapshot = (path, machine.disk.bytes(of: path)?.count ?? 0)
        let position = try Self.position(at: seq, machine)
        machine.disk.put(position, at: Layout.audit)
        order = Scattered(snapshot.byteCount + position.count)
    }

    var byteCount: Int { order.count }

    /// With a disk of its own.
    func copy() -> CachedLedger {
        var copy = self
        copy.machine = machine.copy()
        return copy
    }

    func target(_ number: Int) -> (path: StoragePath, offset: Int) {
        let place = order[number]
        return place < snapshot.byteCount ? (snapshot.path, place) : (Layout.audit, place - snapshot.byteCount)
    }

    /// What is wrong with the state when the snapshot is not what was sealed.
    func stateComplaint() throws -> String? {
        let view = try LedgerView(machine.storage())
        var found = try FoundFold<Documents>(in: view, machine.environment)
        if let seq = found.snapshotSeq { return "the snapshot at seq \(seq) is believed" }
        if found.notices.count != 1 { return "nothing is said of it" }
        try found.fold.advance(in: view, to: .tip, machine.environment)
        return found.fold.state.root == root ? nil : "the state is another"
    }

    /// What is wrong with an audit when the position is not what was sealed.
    func auditComplaint() async throws -> String? {
        let finding = try await Auditor(.deep, machine.environment).walk(machine.storage())
        if finding.firstSeq != 1 { return "the audit begins at seq \(finding.firstSeq)" }
        if finding.notices.count != 1 { return "nothing is said of it" }
        return finding.report.verdict == .intact ? nil : "\(finding.report.verdictLine)"
    }

    /// Writes an entry for each number, which becomes a member's value.
    private static func set(_ numbers: ClosedRange<Int>, _ root: inout JSONObject, _ machine: SimulatedMachine) throws {
        let drafts = try numbers.map { number in
            let (name, value) = ("n\(number % 40)", JSON.number(Double(number)))
            root[name] = value
            return try Draft(
                action: "state.patched", actor: "user:torture", justification: Justification(.resilience, "torture"),
                body: ["patch": [["op": "add", "path": .string("/" + name), "value": value]]])
        }
        try machine.write { session in
            for answer in session.commit(drafts.map { [$0] }) { _ = try answer.get() }
        }
    }

    /// The file of an audit that ran out of time behind this entry.
    private static func position(at seq: UInt64, _ machine: SimulatedMachine) throws -> [UInt8] {
        let bytes = machine.segment()
        var frames: [RawFrame] = []
        while let frame = RawFrame(in: bytes, at: frames.last?.bytes.upperBound ?? 0) { frames.append(frame) }
        let frame = frames[Int(seq) - 1]
        let key = try machine.key()
        var progress = AuditProgress(ledger: try machine.head().ledger, key: key.id)
        progress.pass = AuditProgress.Pass(
            began: machine.environment.now(), goal: UInt64(frames.count),
            place: Place(segment: 1, offset: frame.bytes.lowerBound, seq: seq), hash: frame.hash)
        return progress.sealed(with: key)
    }
}
