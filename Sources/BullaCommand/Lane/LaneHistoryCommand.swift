import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger
import LedgerFormat

struct LaneHistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Tell what happened to a lane: who got it and who was refused, when, why, and by which lease.",
        discussion: """
            Beats are left out unless --beats is given; they are many.

            Examples:
              bulla lane history api
              bulla lane history api --at 2026-01-31T14:03:00Z
              bulla lane history api --only refuse --json
            """)

    @Argument(help: "The lane; without one, all of them.")
    var lane: Label?

    @Option(help: ArgumentHelp("Up to then: a seq, a hash, or a time in UTC.", valueName: "seq|hash|time"))
    var at: Point?

    @Option(help: ArgumentHelp("Only these operations, such as acquire or refuse; several times.", valueName: "operation"))
    var only: [LaneOperation] = []

    @Option(help: ArgumentHelp("Only the last so many.", valueName: "n"))
    var last: Int?

    @Flag(help: "Beats too.")
    var beats = false

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if let last, last < 1 { throw ValidationError("--last takes a number from 1 on") }
    }

    func run() throws {
        try LedgerView.showing(try archives.storage(of: options)) { view, hasShown throws(LedgerError) in
            try show(view, &hasShown)
        }
    }

    private func show(_ view: LedgerView, _ hasShown: inout Bool) throws(LedgerError) {
        let end = try at?.end(in: view, .system) ?? .tip
        var lines: [String] = []
        // What was archived is told only with --archive.
        try archives.sayAbsence(view)
        var mark = Mark(lastArchivedIn: view)
        try FactReader(view, of: Lanes.namespaces, .system).read(after: &mark, to: end) { fact in
            guard let operation = LaneOperation(action: fact.action), isWanted(operation, fact.body) else { return }
            let line = options.json ? Self.json(fact, operation) : Self.text(fact, operation)
            guard let last else {
                hasShown = true
                return Output.line(line)
            }
            lines.append(line)
            if lines.count >= 2 * last { lines.removeFirst(lines.count - last) }
        }
        hasShown = hasShown || !lines.isEmpty
        for line in lines.suffix(last ?? 0) { Output.line(line) }
        if !hasShown, !options.json { Output.error("bulla: nothing of that kind is recorded") }
    }

    private func isWanted(_ operation: LaneOperation, _ body: JSON) -> Bool {
        if let lane {
            // Who named no lane was refused every one of the order.
            let names = [body["lane"]] + (body["tried"]?.array ?? [])
            guard names.contains(where: { $0?.string.flatMap { Label($0) } == lane }) else { return false }
        }
        if !only.isEmpty { return only.contains(operation) }
        return operation != .heartbeat || beats
    }

    private static func json(_ fact: Fact, _ operation: LaneOperation) -> String {
        Printable.json([
            "actor": .string(fact.actor), "body": fact.body, "operation": .string(operation.rawValue),
            "reason": .string(fact.reason), "seq": .number(Double(fact.seq)), "time": .string(fact.time.description),
        ])
    }

    private static func text(_ fact: Fact, _ operation: LaneOperation) -> String {
        let who = fact.body["holder"]?.string ?? fact.body["lease"]?["holder"]?.string ?? fact.actor
        let id = fact.body["lease_id"]?.string ?? fact.body["lease"]?["lease_id"]?.string
        let what: String =
            switch operation {
            case .declare: "declared"
            case .forced: "granted to \(who) by associates: lease \(id ?? "?"), token \(fact.seq)"
            case .acquire: "granted to \(who): lease \(id ?? "?"), token \(fact.seq)"
            case .release: "released: lease \(id ?? "?")"
            case .heartbeat: "beat of lease \(id ?? "?")"
            case .scavenge: "taken from \(fact.body["prev_holder"]?.string ?? "?"): lease \(id ?? "?")"
            case .adopt:
                "handed to \(who) from \(fact.body["prev_holder"]?.string ?? "?"): lease \(id ?? "?")"
                    + (fact.body["renews_token"]?.bool == true ? ", token \(fact.seq)" : "")
            case .reconcile where fact.body["journal"] != nil: "imported for \(who): lease \(id ?? "?"), token \(fact.seq)"
            case .reconcile: "said again: lease \(id ?? "?") of \(who)"
            case .checkpoint: "set anew"
            case .refuse: "refused to \(who) (\(fact.body["reason_class"]?.string ?? "?"))"
            case .halt: "halt of \(fact.body["handle"]?.string ?? "?") wanted"
            case .enforce: "\(fact.body["intervention"]?.string ?? "?") proposed"
            case .attempt: "\(fact.body["unit_id"]?.string ?? "?") tried: \(fact.body["outcome"]?.string ?? "?")"
            case .spawn: "\(who) is about to come"
            }
        return Printable.text("seq \(fact.seq)  \(fact.time)  \(Printable.name(fact.actor))  \(what)") + "\n    "
            + Printable.text(fact.reason)
    }
}

extension LaneOperation: ExpressibleByArgument {}
