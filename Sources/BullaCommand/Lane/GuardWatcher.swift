import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// When a watcher that has not heard of its guard again ends what the guard guards.
struct GuardDeadline: Equatable {
    /// On the boot's clock, in microseconds.
    var time: Int64
    /// From TERM to KILL, in microseconds.
    var politeness: Int64

    init(time: Int64, politeness: Int64) { (self.time, self.politeness) = (time, politeness) }

    /// So soon, and without asking: TERM was sent.
    init(within microseconds: Int64, _ environment: Environment) {
        self.init(time: environment.bootTime().microseconds + microseconds, politeness: 0)
    }

    static let byteCount = 16

    /// As it goes through the pipe: less than what the system writes at once, so that no half of it is ever read.
    var bytes: [UInt8] {
        [time, politeness].flatMap { number in
            stride(from: 0, to: 64, by: 8).map { UInt8(truncatingIfNeeded: number >> Int64($0)) }
        }
    }

    /// The last of those that were read; nil if there is none.
    init?(lastOf bytes: ArraySlice<UInt8>) {
        let numbers = bytes.suffix(bytes.count % Self.byteCount == 0 ? Self.byteCount : 0)
        guard numbers.count == Self.byteCount else { return nil }
        func number(_ bytes: ArraySlice<UInt8>) -> Int64 { bytes.reversed().reduce(0) { $0 << 8 | Int64($1) } }
        self.init(time: number(numbers.prefix(8)), politeness: number(numbers.suffix(8)))
    }
}

/// A process beside the guard that ends the command when the guard, stopped or hanging, does not.
///
/// It is this program again (`LaneGuardWatcherCommand`), in a session of its own: what a terminal or a shell stops is the guard and its
/// command, not the watcher. The kernel kills it when the guard ends, and it ends by itself when the pipe does.
struct GuardWatcher: ~Copyable {
    let process: pid_t
    let pipe: ChildDescriptor
    private(set) var told: GuardDeadline

    static let commandName = "guard-watcher"

    init(_ deadline: GuardDeadline) throws(ChildError) {
        do throws(SystemFailure) {
            let ends = try ChildSystem.pipe()
            try ChildSystem.neverWait(ends.writing)
            // Said before it begins, so that it never runs without a deadline.
            _ = try ChildSystem.write(ends.writing.raw, deadline.bytes.span)
            let arguments = ["/proc/self/exe", "lane", Self.commandName].map { Array($0.utf8) }
            process = try ChildSystem.startApart(arguments, input: ends.reading)
            pipe = ends.takeWriting()
        } catch {
            throw .lost(error.number)
        }
        told = deadline
    }

    /// Puts the end off. A watcher that is gone, or stopped behind a full pipe, is none; the guard goes on without it.
    mutating func renew(_ deadline: GuardDeadline) {
        guard deadline != told else { return }
        if (try? ChildSystem.write(pipe.raw, deadline.bytes.span)) != nil { told = deadline }
    }

    /// Whether it has begun to end what we guard: from then on it does not listen.
    func hasBegun(_ environment: Environment) -> Bool {
        environment.bootTime().microseconds >= told.time && ChildSystem.isUnread(pipe.raw)
    }
}
