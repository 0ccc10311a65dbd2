import CSystemCalls
import Ledger
import PlantedDefects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A command that works only as long as this process says so: it has our streams, is killed with us, and is stopped with all that it
/// started, since what it left running became ours.
struct GuardedChild: ~Copyable {
    private let process: pid_t
    /// Readable at the end of the command; nil where the system has none, and then we look from time to time.
    private let descriptor: ChildDescriptor?
    /// Nil from when nothing is left for it to end.
    private var watcher: GuardWatcher?
    /// How it ended, once it is buried.
    private var status: ChildProcess.Status?

    private static let lookMilliseconds: Int32 = 20

    /// Signals that others send to us go to it from now on.
    init(_ arguments: [[UInt8]], _ watcher: consuming GuardWatcher) throws(ChildError) {
        let limit = planted(.startUnchecked) ? .max : Environment.systemClock(at: watcher.told.time)
        let pipe = planted(.startUnchecked) ? -1 : watcher.pipe.raw
        self.watcher = consume watcher
        ChildSystem.beginForwarding()
        do throws(SystemFailure) {
            process = try ChildSystem.startBound(arguments, before: limit, watchedBy: pipe)
        } catch {
            ChildSystem.endForwarding()
            throw .cannotStart(error.number)
        }
        ChildSystem.startForwarding(to: process)
        descriptor = ChildSystem.openProcess(process)
    }

    /// Waits so long, or to the command's end if that comes first; true at its end.
    func ended(within milliseconds: Int32) throws(ChildError) -> Bool {
        do throws(SystemFailure) {
            csystem_reap_others(process)
            let number: Int32 =
                switch descriptor {
                case .some(let descriptor): descriptor.raw
                case .none: -1
                }
            var waits = [pollfd(fd: number, events: Int16(POLLIN), revents: 0)]
            try ChildSystem.wait(&waits, milliseconds: number < 0 ? min(milliseconds, Self.lookMilliseconds) : milliseconds)
            return try ChildSystem.hasEnded(process)
        } catch {
            throw .lost(error.number)
        }
    }

    /// Tells the watcher until when it will hear of us again.
    mutating func renew(_ deadline: GuardDeadline) { watcher?.renew(deadline) }

    /// Whether the watcher took us for stopped or hanging, and ends the command in our place; it says so itself.
    func isTakenOver(_ environment: Environment) -> Bool {
        switch watcher {
        case .some(let watcher): watcher.hasBegun(environment)
        case .none: false
        }
    }

    /// Ends the command and everything that it started.
    ///
    /// - Returns: whether nothing is left.
    mutating func stop(politeness: Int64, _ environment: Environment) -> Bool {
        ChildSystem.stopForwarding()
        var ending = Ending(politeness: politeness, environment)
        while true {
            // A guard that is stopped amid this leaves the rest to the watcher.
            watcher?.renew(GuardDeadline(within: max(politeness, 100_000), environment))
            bury()
            var left = Descendants.seen(below: getpid())?.running ?? []
            // Known without looking, and so ended also where /proc cannot be read.
            if status == nil { left.insert(process) }
            let watching = watcher?.process ?? 0
            left.remove(watching)
            if left.isEmpty {
                // It ends at the end of the pipe, and counts among the others from now on.
                watcher = nil
                // What loses its parent becomes our child: this sees also who forks faster than one can look.
                if csystem_has_children() == 0 { return true }
            }
            guard ending.press(left, below: getpid(), sparing: watching) else { return false }
        }
    }

    private mutating func bury() {
        if status == nil, (try? ChildSystem.hasEnded(process)) == true { status = try? ChildSystem.reap(process) }
        csystem_reap_others(status == nil ? process : 0)
    }

    /// The code to pass on, once it has ended.
    consuming func finish() throws(ChildError) -> Int32 {
        ChildSystem.stopForwarding()
        defer {
            csystem_reap_others(0)
            ChildSystem.endForwarding()
        }
        do throws(SystemFailure) {
            let end: ChildProcess.Status
            if let status { end = status } else { end = try ChildSystem.reap(process) }
            switch end {
            case .exited(let code): return code
            case .signaled(let signal): return 128 + signal
            }
        } catch {
            throw .lost(error.number)
        }
    }
}
