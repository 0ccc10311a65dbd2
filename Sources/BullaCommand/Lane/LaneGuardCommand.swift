import ArgumentParser
import CanonicalJSON
import Kernel
import Lanes
import Ledger
import LedgerFormat
import PlantedDefects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

struct LaneGuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard",
        abstract: "Run a command only while a lease is current, and stop it when it is not.",
        discussion: """
            It looks four times a second. When the lease was released or taken over, or is about to end without a beat, or the alert is raised, the command and \
            all that it started get TERM, and KILL 0.4 s later, sooner where the lease's time is short. What the command leaves running at its own end is stopped too. If the guard itself is killed (KILL), the kernel kills the command; if it is stopped (STOP), a second process \
            beside it ends the command before the lease does. The code is the command's, 20 if the lease is not current at the start, and 125 when the house is locked, when the command was ended because the lease was lost or the alert raised, or the guard itself failed.

            No guard is faster than what it watches: a resource that must be safe compares tokens itself.

            Examples:
              bulla lane guard --lease 0123456789abcdef --token 42 -- make test
              bulla lane guard --lease 0123456789abcdef --token 42 --beat-as process:worker-1 -- ./long-job
            """)

    @OptionGroup var right: LaneRightOptions

    @Option(
        name: .customLong("beat-as"),
        help: ArgumentHelp("Beat in this name while the command runs, three times in the lease's time.", valueName: "kind:name"))
    var beatActor: String?

    @OptionGroup var signing: SignerOptions
    @OptionGroup var options: LedgerOptions

    @Argument(parsing: .postTerminator, help: "The command and its arguments, behind --.")
    var command: [String] = []

    private static let lookMilliseconds: Int32 = 250

    func validate() throws {
        if command.isEmpty {
            throw ValidationError("no command: write it behind --, as in bulla lane guard --lease … --token … -- make")
        }
        if let beatActor, !Names.isActor(beatActor) { throw ValidationError("--beat-as takes kind:name") }
    }

    func run() throws {
        do throws(LedgerError) {
            Output.exit(try guarded())
        } catch {
            Output.error("bulla: \(Printable.text(error.message))")
            if options.json { Output.error(Printable.json(["current": false, "reason": .string(error.message)])) }
            // Other codes of the ledger would be taken for the command's.
            Output.exit(error.code == .refused ? 20 : 125)
        }
    }

    private func guarded() throws(LedgerError) -> Int32 {
        guard Namespaces.processList != .foreign else {
            throw LedgerError(
                .inputOutput,
                "nothing was started: /proc shows the processes of another namespace, so that the guard would not find those of its command; mount its own, as unshare --mount-proc does"
            )
        }
        try checkSigner()
        var watch = try LeaseWatch(options, right.right, .system)
        let arguments = RawArguments.last(command.count)
        do throws(ChildError) {
            var child = try GuardedChild(arguments, try GuardWatcher(watch.deadline))
            var reason: String?
            var trouble: LedgerError?
            while !(try child.ended(within: watch.milliseconds(atMost: Self.lookMilliseconds))) {
                do throws(LedgerError) {
                    if isBeatDue(watch.lease) { trouble = beatFailure() }
                    if !planted(.guardAsleep) { try watch.look(unbeatenFor: trouble) }
                    child.renew(watch.deadline)
                } catch {
                    reason = error.message
                    break
                }
            }
            let isLost = reason != nil || child.isTakenOver(.system)
            // At its own end too: what it leaves behind would work on without a lease that anybody looks at.
            let isAllGone = child.stop(politeness: watch.politeness, .system)
            if let reason { Output.error("bulla: the command was stopped: \(Printable.text(reason))") }
            if !isAllGone { Output.error("bulla: some of what the command started could not be stopped") }
            let code = try child.finish()
            return isLost ? 125 : code
        } catch {
            if error == .cannotStart(ETIME) {
                // Says what is wrong with it, if somebody else has it by now.
                try watch.look()
                throw LedgerError(
                    .refused, "\(watch.lease.named) came to its end before the command was started; nothing was started")
            }
            if error == .cannotStart(EPIPE) {
                throw LedgerError(.inputOutput, "nothing was started: the guard's watcher is gone; try again")
            }
            let name = String(decoding: arguments.first ?? [], as: UTF8.self)
            Output.error("bulla: \(Printable.text(name)): \(error)")
            return error.exitCode
        }
    }

    /// What would refuse every beat is said before the command starts.
    private func checkSigner() throws(LedgerError) {
        let signer = try signing.signer()
        guard let beatActor else { return }
        if beatActor == ActorRoster.house { throw LedgerError(.usage, "nothing was started: \(DraftError.houseName)") }
        let actors = try LedgerView.asking(try options.storage()) { view throws(LedgerError) in try view.actors() }
        let objection: String? =
            switch actors.standing(of: beatActor, at: .max) {
            case .free: signer == nil ? nil : "nobody is enrolled as \(beatActor), so a key signs nothing for it"
            case .revoked(let enrolment): "\(ActorObjection.revoked(beatActor, by: enrolment.revoked))"
            case .enrolled(let enrolment):
                switch signer?.key {
                case .none: "\(beatActor) is enrolled, and beats are signed with its key: give --actor-key"
                case enrolment.key: nil
                case .some(let key): "the key given is \(key), and that is not the one of \(beatActor)"
                }
            }
        if let objection { throw LedgerError(.usage, "nothing was started: no beat would be taken: \(objection)") }
    }

    private func isBeatDue(_ lease: Lease) -> Bool {
        beatActor != nil && lease.beat.age(at: Instant(.system)) >= lease.ttl / 3
    }

    /// Beats; what fails is tried again at the next look, until the lease ends.
    private func beatFailure() -> LedgerError? {
        guard let beatActor else { return nil }
        do throws(LedgerError) {
            var settings = WriterSettings()
            settings.lockTimeoutMicroseconds = 100_000
            settings.signer = try signing.signer()
            var decider = Decider(try options.storage(), .system, settings, anchor: options.anchor)
            _ = try decider.decide(on: Lanes.self, as: beatActor) { lanes, moment throws(LedgerError) in
                try lanes.heartbeat(right.right, event: nil, HostFacts.name, moment)
            }
            return nil
        } catch {
            return error
        }
    }
}
