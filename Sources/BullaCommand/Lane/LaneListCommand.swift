import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger
import LedgerFormat

struct LaneListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Print the lanes, who holds them, who is about to come, and what rests.",
        discussion: """
            Example:
              bulla lane list --json | jq '.leases[] | {lane, holder, token}'
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let fold = try options.lanes()
        let now = Instant(Environment.system)
        let table = LaneTable(fold.state, at: now)
        if options.json {
            Output.line(Printable.json(.object(table.json(fold.seq))))
        } else {
            table.print(width: Output.stdoutColumns)
        }
    }
}

struct LaneCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say whether a lease's token is current: exit code 0, or 20 if it is stale.",
        discussion: """
            For resources that others guard. It tells what was true when it looked; a resource that must be safe compares tokens \
            itself, and refuses every lower one than the highest that it has seen.

            Example:
              bulla lane check --lease 0123456789abcdef --token 42
            """)

    @OptionGroup var right: LaneRightOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let fold = try options.lanes()
        let now = Instant(Environment.system)
        let lease = try fold.state.currentLease(right.right, upTo: fold.seq, at: now)
        if options.json {
            var object = lease.shown(fold.state.settings, at: now)
            object["current"] = true
            Output.line(Printable.json(.object(object)))
        } else {
            Output.line(
                Printable.text("current: lease \(lease.id) token \(lease.token) lane \(lease.lane) until \(lease.end(at: now))"))
        }
    }
}

extension Lanes {
    /// The lease whose holder may act now.
    func currentLease(_ right: LeaseRight, upTo seq: UInt64, at now: Instant) throws(LedgerError) -> Lease {
        let lease = try lease(right, upTo: seq)
        guard lease.standing(settings, at: now) == .current else {
            throw LedgerError(.refused, "\(lease.named) is stale: its time ran out at \(lease.end(at: now))")
        }
        return lease
    }
}
