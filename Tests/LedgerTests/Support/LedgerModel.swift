import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

/// What a ledger holds, read line by line and without the engine's verifier; and what must be left of it behind a repair.
struct LedgerModel {
    struct Frame {
        var segment: UInt64
        var offset: Int
        var bytes: [UInt8]
        var seq: UInt64
        var action: String
        /// The `i` and `n` of an entry of several.
        var part: [Int]?
        /// Of the entry that counts: the one inside, where it was taken over.
        var own: UInt64
        var payload: [UInt8]
        /// Nil if it stands here by itself.
        var isProven: Bool?
        var body: JSON

        var end: Int { offset + bytes.count }
        var endsDecision: Bool { part.map { $0[0] == $0[1] } ?? true }
    }

    var frames: [Frame] = []
    var segments: [UInt64: [UInt8]] = [:]

    init(_ machine: SimulatedMachine) throws {
        for segment in machine.segments.sorted() {
            let bytes = machine.segment(segment)
            segments[segment] = bytes
            var offset = 0
            for line in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
                try add(Array(line) + [0x0A], segment, offset)
                offset += line.count + 1
            }
        }
    }

    private mutating func add(_ bytes: [UInt8], _ segment: UInt64, _ offset: Int) throws {
        let colon = try #require(bytes.firstIndex(of: UInt8(ascii: ":")))
        let payload = Array(bytes[(colon + 1)..<(bytes.count - 1)])
        let outer = try JSON(parsing: payload)
        let entry = try #require(outer["entry"])
        let seq = UInt64(try #require(entry["seq"]?.integer))
        let action = try #require(entry["action"]?.string)
        let body = try #require(entry["body"])
        var frame = Frame(
            segment: segment, offset: offset, bytes: bytes, seq: seq, action: action, own: seq, payload: payload, body: body)
        frame.part = entry["context"]?["part"]?.array?.compactMap { $0.integer.map(Int.init) }
        if action == "ledger.readmitted" {
            let inner = try #require(body["frame"])
            frame.own = UInt64(try #require(inner["entry"]?["seq"]?.integer))
            frame.payload = inner.canonicalBytes()
            frame.isProven = try #require(body["proven"]?.bool)
            #expect(inner["entry"]?["action"]?.string != "ledger.readmitted", "wrapped twice")
        }
        frames.append(frame)
    }

    func index(_ seq: UInt64) -> Int? { frames.firstIndex { $0.seq == seq } }

    /// How many frames stay as they are when these are lost: whole decisions before the first.
    func prefixCount(without lost: Set<Int>) -> Int {
        var count = lost.min() ?? frames.count
        while count > 0, !frames[count - 1].endsDecision { count -= 1 }
        return count
    }

    /// The frames that links from HEAD's entry prove, when these are lost.
    func proven(without lost: Set<Int>, head: Int?) -> Set<Int> {
        guard let head, !lost.contains(head) else { return [] }
        var (first, last) = (head, head)
        while first > 0, !lost.contains(first - 1) { first -= 1 }
        while last + 1 < frames.count, !lost.contains(last + 1) { last += 1 }
        var proven = Set(first...last).subtracting(0..<prefixCount(without: lost))
        for index in proven {
            // Of a decision all entries must be there.
            guard let part = frames[index].part else { continue }
            let start = index - part[0] + 1
            if start < first || start + part[1] - 1 > last { proven.remove(index) }
        }
        return proven.filter { frames[$0].isProven ?? true }
    }
}

/// What holds behind every repair.
struct RepairCheck {
    /// The ledger before it was damaged, and its damaged files.
    var before: LedgerModel
    var damaged: [UInt64: [UInt8]]
    var lost: Set<Int>
    /// The index of the entry that a valid HEAD vouched for.
    var head: Int?
    var source: SourceLocation

    init(
        _ before: LedgerModel, _ machine: SimulatedMachine, lost: Set<Int>, head: Int?, source: SourceLocation = #_sourceLocation
    ) {
        self.before = before
        self.lost = lost
        self.head = head
        self.source = source
        damaged = [:]
        for segment in machine.segments { damaged[segment] = machine.segment(segment) }
    }

    func check(_ machine: SimulatedMachine, note: String = "") async throws {
        let comment = Comment(rawValue: note)
        #expect(try await machine.audit().verdict == .intact, comment, sourceLocation: source)
        let head = try machine.head()
        let after = try LedgerModel(machine)
        #expect(!head.alert && head.seq == after.frames.last?.seq, comment, sourceLocation: source)
        #expect(machine.disk.bytes(of: StoragePath("repair")) == nil, comment, sourceLocation: source)
        checkEntries(after, comment)
        checkEvidence(machine, comment)
        try machine.append(900_001...900_002)
        #expect(try await machine.audit().verdict == .intact, comment, sourceLocation: source)
    }

    private func checkEntries(_ after: LedgerModel, _ comment: Comment) {
        let prefix = before.prefixCount(without: lost)
        for (old, new) in zip(before.frames[..<prefix], after.frames) {
            #expect(
                old.bytes == new.bytes && old.segment == new.segment && old.offset == new.offset, comment, sourceLocation: source)
        }
        guard after.frames.count > prefix, after.frames[prefix].action == "ledger.repaired" else {
            Issue.record("no ledger.repaired behind the prefix: \(comment)", sourceLocation: source)
            return
        }
        let repaired = after.frames[prefix]
        let survivors = before.frames.indices.filter { $0 >= prefix && !lost.contains($0) }
        let highest = max(
            survivors.map { before.frames[$0].seq }.max() ?? 0, head.map { before.frames[$0].seq } ?? 0,
            prefix > 0 ? before.frames[prefix - 1].seq : 0)
        #expect(repaired.seq == highest + 1, comment, sourceLocation: source)
        let first = (prefix > 0 ? before.frames[prefix - 1].seq : 0) + 1
        if repaired.seq > first {
            #expect(repaired.body["gap"]?["first"]?.integer == Int64(first), comment, sourceLocation: source)
            #expect(repaired.body["gap"]?["last"]?.integer == Int64(repaired.seq - 1), comment, sourceLocation: source)
        } else {
            #expect(repaired.body["gap"] == nil, comment, sourceLocation: source)
        }
        for name in ["trauma", "root_cause", "correction", "lesson"] {
            #expect(repaired.body[name]?.string?.isEmpty == false, comment, sourceLocation: source)
        }
        let readmitted = after.frames[prefix...].filter { $0.isProven != nil }
        let rises = zip(readmitted, readmitted.dropFirst()).allSatisfy { $0.own < $1.own }
        #expect(rises, comment, sourceLocation: source)
        let expected = survivors.sorted { before.frames[$0].own < before.frames[$1].own }
        #expect(readmitted.map(\.own) == expected.map { before.frames[$0].own }, comment, sourceLocation: source)
        #expect(readmitted.map(\.payload) == expected.map { before.frames[$0].payload }, comment, sourceLocation: source)
        let proven = before.proven(without: lost, head: head)
        #expect(readmitted.map { $0.isProven == true } == expected.map { proven.contains($0) }, comment, sourceLocation: source)
    }

    /// One of the directories in quarantine/ holds the damaged files, each byte of them.
    private func checkEvidence(_ machine: SimulatedMachine, _ comment: Comment) {
        var folders: [StoragePath: [UInt64: [UInt8]]] = [:]
        for path in machine.disk.files() where path.parent?.parent == Layout.quarantine {
            guard let segment = SegmentName.firstSeq(file: path.name), let folder = path.parent else { continue }
            folders[folder, default: [:]][segment] = machine.disk.bytes(of: path)
        }
        // A directory without files is none to this look.
        #expect(damaged.isEmpty || folders.values.contains(damaged), comment, sourceLocation: source)
    }
}
