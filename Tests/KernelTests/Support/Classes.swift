import CanonicalJSON
import DurableFiles
import Kernel
import Ledger
import LedgerFormat
import TestSupport

/// Actors of different classes, whose keys we have: each class has one, `process:CLASS`.
enum Classes {
    /// Highest first.
    static let names = ["security-sentinel", "operator", "worker", "skill-utility"]
    static let signers = Dictionary(
        uniqueKeysWithValues: names.enumerated().map {
            ($0.element, ActorSigner(seed: [UInt8](repeating: UInt8($0.offset + 40), count: 32)))
        })

    /// All orders in which so many may come.
    static func permutations(_ count: Int) -> [[Int]] {
        if count == 0 { return [[]] }
        return permutations(count - 1).flatMap { shorter in
            (0...shorter.count).map { place in
                var longer = shorter
                longer.insert(count - 1, at: place)
                return longer
            }
        }
    }
}

extension SimulatedMachine {
    /// A writer with an actor's key.
    func signing(_ signer: ActorSigner) -> SimulatedMachine {
        var machine = self
        machine.settings.signer = signer
        return machine
    }

    static func classed(seed: UInt64 = 1) throws -> SimulatedMachine {
        let machine = try SimulatedMachine(seed: seed, count: 2)
        try machine.write { session in
            for name in Classes.names {
                _ = try session.enroll("process:\(name)", as: name, Classes.signers[name]!.key, reason: "test")
            }
        }
        return machine
    }

    /// The same with a tree, which everybody has seen.
    static func classed(_ tree: JSON, seed: UInt64 = 1) throws -> (SimulatedMachine, base: UInt64) {
        let machine = try classed(seed: seed)
        return (machine, try machine.patch(JSONPatch([.replace(JSONPointer(), tree)])).seq)
    }

    /// - Parameter name: a class, whose actor signs; without one nobody has a key.
    func merge(
        _ patch: JSONPatch, _ base: UInt64, as name: String? = nil, reads: [String] = [], snapshotInterval: UInt64 = 10_000
    ) throws -> ConflictManager.Resolution {
        var machine = self
        if let name { machine.settings.signer = Classes.signers[name] }
        var decider = try machine.decider(snapshotInterval: snapshotInterval)
        let reads = try reads.map { try JSONPointer(parsing: $0) }
        let actor = name.map { "process:\($0)" } ?? "user:bob"
        return try decider.change(seen: base, reading: reads, as: actor, .test) { _ in patch }.reply
    }

    /// Which places of events were lost, and by whom, by all that was recorded.
    func losses() throws -> Set<String> {
        var losses: Set<String> = []
        for entry in try entries() where entry.action == "ledger.conflict" {
            let body = try JSON(parsing: entry.body)
            for name in ["lost", "overrode"] {
                for collision in (body[name]?.array ?? []).compactMap({ Collision($0) }) {
                    losses.insert("\(collision.loser.actor) \(collision.at)")
                }
            }
        }
        return losses
    }
}

extension DocumentSource {
    /// A patch that applies to a tree, at places that others choose too.
    mutating func merging(of tree: JSON) -> JSONPatch {
        var (patch, now) = (JSONPatch(), tree)
        let wanted = Int.random(in: 1...2, using: &random)
        for _ in 0..<50 where patch.operations.count < wanted {
            let tokens = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                ["a", "b", "l", "0", "1", "-"][Int.random(in: 0..<6, using: &random)]
            }
            let place = JSONPointer(tokens: tokens)
            let number = JSON.number(Double(Int.random(in: 0...2, using: &random)))
            let values: [JSON] = [number, ["a": 1], [7]]
            let value = values[Int.random(in: 0..<3, using: &random)]
            let operation: JSONPatch.Operation =
                switch Int.random(in: 0..<6, using: &random) {
                case 0: .remove(place)
                case 1: .replace(place, value)
                case 2: .move(from: place, to: JSONPointer(tokens: ["b", "a"]))
                default: .add(place, value)
                }
            guard let next = try? JSONPatch([operation]).apply(to: now) else { continue }
            now = next
            patch.operations.append(operation)
        }
        return patch.operations.isEmpty ? JSONPatch([.add(JSONPointer(tokens: ["new"]), 1)]) : patch
    }

    mutating func reads() -> [String] {
        Int.random(in: 0..<3, using: &random) > 0 ? [] : [["/a", "/b/a", "/l", "/a/b"].randomElement(using: &random)!]
    }
}
