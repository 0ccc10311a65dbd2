import ArgumentParser
import Ledger
import PlantedDefects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What `lane guard` starts beside its command: `GuardWatcher` tells.
struct LaneGuardWatcherCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: GuardWatcher.commandName, abstract: "End the command of a guard that does not go on.", shouldDisplay: false)

    private static let lookMicroseconds: Int64 = 250_000

    func run() throws {
        // Who types it in a shell would end what the shell has started.
        guard getsid(0) == getpid() else {
            throw LedgerError(.usage, "\(GuardWatcher.commandName) is started by `bulla lane guard` alone")
        }
        let environment = Environment.system
        let guardian = getppid()
        var deadline: GuardDeadline?
        do throws(SystemFailure) {
            var bytes = [UInt8](repeating: 0, count: 256 * GuardDeadline.byteCount)
            while true {
                // All that was said is heard before anything is judged: this process may have been stopped too.
                while let count = try ChildSystem.read(STDIN_FILENO, &bytes, limit: bytes.count) {
                    if count == 0 { return }
                    deadline = GuardDeadline(lastOf: bytes[..<count]) ?? deadline
                }
                let rest = deadline.map { $0.time - environment.bootTime().microseconds } ?? Self.lookMicroseconds
                if let due = deadline, rest <= 0, !planted(.guardWatcherAsleep) {
                    if end(below: guardian, due, environment) { return }
                    // There was nothing, and what begins now has looked at the clock itself.
                    deadline = nil
                    continue
                }
                // Rather often, since this wait does not count the time in which the machine sleeps.
                var waits = [pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)]
                let wait = min(Self.lookMicroseconds, max(0, rest)) / 1000 + 1
                try ChildSystem.wait(&waits, milliseconds: Int32(wait))
            }
        } catch {
            throw LedgerError(.inputOutput, "the guard's watcher does not hear the guard: error \(error.number)")
        }
    }

    /// Ends what runs below the guard; false if nothing does.
    private func end(below guardian: pid_t, _ deadline: GuardDeadline, _ environment: Environment) -> Bool {
        var ending = Ending(politeness: deadline.politeness, environment)
        var hasBegun = false
        var stillness = Stillness()
        while true {
            guard let seen = Descendants.seen(below: guardian) else {
                // The kernel kills the command with it, and us.
                begin(&hasBegun)
                _ = kill(guardian, SIGKILL)
                return true
            }
            let left = seen.running.subtracting([getpid()])
            switch stillness.look(running: left, dead: seen.dead) {
            case .still: return hasBegun
            case .busy: begin(&hasBegun)
            case .unknown: break
            }
            guard ending.press(left, below: guardian, sparing: getpid()) else {
                Output.error("bulla: some of what the command started could not be stopped")
                return true
            }
        }
    }

    /// Says it before the first signal, since this process ends with a guard that goes on meanwhile; and hears nothing more, by which that
    /// guard knows.
    private func begin(_ hasBegun: inout Bool) {
        guard !hasBegun else { return }
        hasBegun = true
        Output.error(
            "bulla: the command was stopped: its lease is about to end, and its guard, stopped itself or hanging, did not look again"
        )
        close(STDIN_FILENO)
    }
}
