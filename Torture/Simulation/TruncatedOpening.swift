import DurableFiles
import Ledger
import LedgerFormat
import TestSupport

/// What went against the model.
struct BrokenPromise: Error, CustomStringConvertible {
    let description: String
}

/// One truncated ledger: audited, opened by a writer, and looked at again.
struct TruncatedOpening {
    let ledger: SampleLedger
    let machine: SimulatedMachine
    let model: TruncationModel
    let head: FoundHead

    /// Says in a few words what was rightly done.
    func run() async throws -> String {
        let (verdict, place) = model.verdict(head)
        let report = try await machine.audit()
        try expect(
            report.verdict == verdict && report.place == place, "read as \(report.verdictLine), and not \(verdict): \(place)")
        let before = machine.files
        let error = try machine.openingError()
        let after = machine.files
        switch model.outcome(head) {
        case .adopted:
            try expect(error == nil, "a whole ledger was refused: \(error.map { "\($0)" } ?? "")")
            try expectKept(model.wholeCount, before, after)
            try expect(try newEntries(behind: model.wholeCount).isEmpty, "something was recorded")
            try expect(machine.evidence.isEmpty, "evidence of nothing was kept")
            try await expectIntact(alert: false)
            return "adopted whole"
        case .tailCut(let frame):
            try expect(error == nil, "a torn ledger was refused: \(error.map { "\($0)" } ?? "")")
            try expectKept(frame, before, after)
            try expect(try newEntries(behind: frame) == ["ledger.tail_cut"], "the cut was not recorded once")
            try expect(Array(machine.evidence.values) == [model.evidence(from: frame)], "the evidence is not the torn tail")
            try expect(machine.evidence.keys.allSatisfy { $0.hasSuffix(".bin") }, "the evidence is not kept for good")
            try await expectIntact(alert: false)
            return "tail cut"
        case .rebuilt:
            try expect(error?.code == .tampered, "a lost HEAD went unnoticed: \(error.map { "\($0)" } ?? "no error")")
            try expectKept(model.wholeCount, before, after)
            try expect(try newEntries(behind: model.wholeCount) == ["ledger.head_rebuilt"], "the new HEAD was not recorded once")
            try await expectIntact(alert: true)
            try expect(try machine.openingError()?.code == .locked, "the house is not locked")
            return "rebuilt"
        case .refused:
            try expect(error?.code == .tampered, "tampering was not noticed: \(error.map { "\($0)" } ?? "no error")")
            try expectUntouched(before, after)
            return "tampered"
        }
    }

    /// Only the alert was raised, and only in a HEAD that there is.
    private func expectUntouched(_ before: [StoragePath: [UInt8]], _ after: [StoragePath: [UInt8]]) throws {
        var expected = before
        if case .valid(let frame) = head {
            expected[Layout.head] = ledger.head(upTo: frame, alert: true).sealed(with: ledger.key)
        }
        expected[Layout.alertCause] = after[Layout.alertCause]
        try expect(after == expected, "a tampered ledger was written to")
        let isTold = after[Layout.alertCause] != nil
        let isRaised = after[Layout.head] != before[Layout.head]
        try expect(isTold == isRaised, "the cause of the alert is not kept, or there is no alert")
    }

    /// The first frames are the bytes that they were, and so are the key and all other files.
    private func expectKept(_ frameCount: Int, _ before: [StoragePath: [UInt8]], _ after: [StoragePath: [UInt8]]) throws {
        for segment in ledger.segments {
            let kept = segment.frames.last { $0 < frameCount }.map { ledger.frames[$0].bytes.upperBound } ?? 0
            if kept == 0 { continue }
            try expect(after[segment.path]?.starts(with: segment.bytes[..<kept]) ?? false, "\(segment.path) lost whole entries")
        }
        for (path, bytes) in before where path.directory == "keys" {
            try expect(after[path] == bytes, "\(path) was changed")
        }
    }

    /// The actions of the entries behind the first ones.
    private func newEntries(behind count: Int) throws -> [String] {
        var actions: [String] = []
        try EntryReader(LedgerView(machine.storage()), machine.environment).read(from: UInt64(count + 1)) { frame, bytes in
            actions.append(Entry(frame, of: bytes).action)
            return true
        }
        return actions
    }

    private func expectIntact(alert: Bool) async throws {
        let report = try await machine.audit()
        try expect(report.verdict == .intact, "left as \(report.verdictLine)")
        try expect(report.head?.alert == alert, alert ? "the alert is not raised" : "the alert is raised")
        try expect(report.head?.seq == report.tip?.seq, "HEAD does not vouch for all there is")
    }

    private func expect(_ condition: Bool, _ complaint: @autoclosure () -> String) throws {
        if !condition { throw BrokenPromise(description: complaint()) }
    }
}
