import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport

extension SimulatedMachine {
    func decider(_ storage: (any Storage)? = nil, snapshotInterval: UInt64 = 10_000) throws -> Decider {
        var decider = Decider(try storage ?? self.storage(), environment, settings)
        decider.snapshotInterval = snapshotInterval
        return decider
    }

    /// A patch by a process of its own.
    @discardableResult
    func patch(_ patch: JSONPatch, snapshotInterval: UInt64 = 10_000) throws -> Receipt {
        var decider = try decider(snapshotInterval: snapshotInterval)
        return try decider.patch(patch)
    }

    /// The documents without any snapshot.
    func documents(_ end: FoldEnd = .tip) throws -> Fold<Documents> {
        var fold = Fold<Documents>()
        try fold.advance(in: LedgerView(storage()), to: end, environment)
        return fold
    }

    func found(_ end: FoldEnd = .tip) throws -> FoundFold<Documents> {
        var found = try FoundFold<Documents>(in: try LedgerView(storage()), to: end, environment)
        try found.fold.advance(in: LedgerView(storage()), to: end, environment)
        return found
    }

    @discardableResult
    func restore(to seq: UInt64) throws -> Decided<JSONPatch> {
        let earlier = try documents(FoldEnd(seq: seq))
        let mark = earlier.mark!
        var decider = try decider()
        return try decider.decide(on: Documents.self, as: "user:ada") { documents, moment throws(LedgerError) in
            try documents.restore(to: earlier.state, at: mark, .test, moment)
        }
    }

    func snapshotSeqs() throws -> [UInt64] { try SnapshotFolder<Documents>(storage()).seqs() }
}

extension Decider {
    @discardableResult
    mutating func patch(_ patch: JSONPatch) throws -> Receipt {
        let decided = try decide(on: Documents.self, as: "user:ada") { documents, moment throws(LedgerError) in
            try documents.change(by: patch, .test, moment)
        }
        return decided.receipts[0]
    }

    @discardableResult
    mutating func set(_ pointer: String, _ value: JSON) throws -> Receipt {
        let pointer = try JSONPointer(parsing: pointer)
        let decided = try decide(on: Documents.self, as: "user:ada") { documents, moment throws(LedgerError) in
            try documents.set(pointer, to: value, .test, moment)
        }
        return decided.receipts[0]
    }
}

extension Justification {
    static let test = Justification(.evolution, "test")
}

/// Random trees and patches that apply to them.
struct DocumentSource {
    var random: SeededGenerator

    mutating func value(_ depth: Int = 2) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 6 : 4), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .number(Double(Int.random(in: -1000...1000, using: &random)) / 4)
        case 3: return .string(["", "é", "a/b", "~", "\u{1F600}"].randomElement(using: &random)!)
        case 4:
            return .object(
                JSONObject((0..<Int.random(in: 0...3, using: &random)).map { ("k\($0)", value(depth - 1)) }))
        default: return .array((0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth - 1) })
        }
    }

    /// The patch from `root` to a tree that differs from it in a few places.
    mutating func patch(of root: JSON) -> JSONPatch {
        while true {
            var object = root.object ?? [:]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let key = "m\(Int.random(in: 0..<6, using: &random))"
                object[key] = Int.random(in: 0..<4, using: &random) == 0 ? nil : value()
            }
            let patch = JSONPatch.diff(from: root, to: .object(object))
            if !patch.operations.isEmpty { return patch }
        }
    }
}
