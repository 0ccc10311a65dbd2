import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        .run,
        abstract: "Stay up: verify the ledger at the start, say that it lives, and audit in the background.",
        discussion: """
            Verifies by the policy boot, records `run.online`, then `run.pulse` at every interval, with a slice of an audit after each: \
            0.3 s, every tenth time 2 s, each from where the one before stopped, and a snapshot of the state when one is due. Traumas that nobody answers lead to patches (bulla patch review). Other processes go on recording. SIGINT or SIGTERM \
            stop it: `run.offline` is recorded, and the code is 0. Damage, a changed path or a raised alert stop it with 10 or 21, and \
            a failing disk with 30; it says why, and what to do.

            With --socket other processes record through it, with append, ingest or record and --socket; they need no access to the \
            ledger or its key. Each entry's context says who asked: {"peer":{"uid":…,"gid":…,"pid":…}}.

            Examples:
              bulla run
              bulla run --ledger /var/lib/bulla --interval 60 --socket /run/bulla/socket --socket-group agents
            """)

    @Option(help: ArgumentHelp("From one pulse to the next (default: 10).", valueName: "seconds"))
    var interval: Double = 10

    @Option(
        help: ArgumentHelp("Serve appends of other processes here; only the owner may connect (mode 0600).", valueName: "path"))
    var socket: String?

    @Option(help: ArgumentHelp("A group that may connect too (mode 0660), by name or number.", valueName: "group"))
    var socketGroup: String?

    @Option(
        help: ArgumentHelp(
            "Entries from one snapshot of the state to the next; 0 for none (default: 10000).", valueName: "entries"))
    var snapshotEvery: UInt64 = 10_000

    @Option(
        help: ArgumentHelp(
            "From one review of traumas, as bulla patch review does it, to the next; 0 for none (default: 3600).",
            valueName: "seconds"))
    var reviewEvery: Double = 3600

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if socket?.isEmpty == true { throw ValidationError("--socket names no path") }
        if socketGroup != nil, socket == nil { throw ValidationError("--socket-group says who may use --socket") }
        guard (0.01...86_400).contains(interval) else { throw ValidationError("--interval takes seconds from 0.01 to 86400") }
        guard (0...31_536_000).contains(reviewEvery) else {
            throw ValidationError("--review-every takes seconds from 0 to 31536000")
        }
    }

    func run() async throws {
        // What cannot work is said before anything is recorded.
        if let socket { try SocketListener.check(path: socket, group: socketGroup) }
        do {
            try await live()
        } catch let error as LedgerError {
            await stop(error)
        }
    }

    private func live() async throws {
        var runner = try await Runner(.system, writer.lastingSettings, anchor: options.anchor) { () throws(LedgerError) in
            try options.storage()
        }
        var events = RunEvents()
        await events.takeSignals(RunEvents.stopping)
        let standing = try await runner.goOnline(process: RunEvents.process)
        let server = socket.map { SocketServer(path: $0, group: socketGroup, committer: runner.committer) }
        let signal: String
        do throws(LedgerError) {
            try server?.start()
            tellOnline(standing)
            signal = try await loop(&runner, events)
        } catch {
            await server?.stop()
            await runner.goOffline(after: error)
            throw error
        }
        await server?.stop()
        let receipt = try await runner.goOffline(reason: "asked to stop", signal: signal)
        tellOffline(receipt, signal)
    }

    private static let recordedNoticeCountMax = 100

    /// Until a signal comes, whose name it answers.
    private func loop(_ runner: inout Runner, _ events: RunEvents) async throws(LedgerError) -> String {
        events.pulse(after: interval)
        var notices: [String] = []
        var told: Set<String> = []
        // Nil while it is at work.
        var keeper =
            snapshotEvery == 0 ? nil : SnapshotKeeper(try options.storage(), writer.settings, options.anchor, snapshotEvery)
        var reviewer: PatchReviewer? = PatchReviewer(
            try options.storage(), writer.settings, options.anchor, ledger: options.path, every: reviewEvery)
        for await event in events.stream {
            switch event {
            case .signal(let number): return RunEvents.name(of: number)
            case .audited(let result): try await runner.take(try result.get())
            case .kept(var idle):
                notices += idle.takeNotices()
                keeper = idle
            case .reviewed(var idle):
                notices += idle.takeNotices()
                reviewer = idle
            case .pulse:
                do throws(LedgerError) {
                    if let policy = try await runner.pulse() { events.audit(runner.slice(policy)) }
                } catch  where error.code == .busy {
                    // Somebody else keeps the lock: that is told, and tried again.
                    Output.error("bulla: no pulse: \(Printable.text(error.message))")
                }
                if let ready = keeper {
                    keeper = nil
                    events.keepSnapshots(ready)
                }
                if let ready = reviewer, ready.isDue(at: Environment.system.uptime()) {
                    reviewer = nil
                    events.review(ready)
                }
                events.pulse(after: interval)
            }
            for notice in notices + runner.takeNotices() {
                Output.error("bulla: \(Printable.text(notice))")
                // What is told again and again is recorded once, and a thousand things say no more than a hundred.
                if told.count < Self.recordedNoticeCountMax, told.insert(notice).inserted { await runner.record(notice: notice) }
            }
            notices = []
        }
        preconditionFailure("the events have no end")
    }
}

// What it says
extension RunCommand {
    private func tellOnline(_ standing: Runner.Standing) {
        let receipt = standing.receipt
        if options.json {
            Output.line(
                Printable.json([
                    "event": "online", "receipt": receipt.json, "segment": .string(SegmentName.file(firstSeq: standing.segment)),
                    "offset": .number(Double(standing.offset)), "pid": .number(Double(RunEvents.process)),
                ]))
        } else {
            Output.line(
                "online: seq \(receipt.seq), tip \(receipt.hash), segment \(SegmentName.file(firstSeq: standing.segment)), "
                    + "offset \(standing.offset)")
        }
    }

    private func tellOffline(_ receipt: Receipt, _ signal: String) {
        if options.json {
            Output.line(Printable.json(["event": "offline", "receipt": receipt.json, "signal": .string(signal)]))
        } else {
            Output.line("offline after \(signal): seq \(receipt.seq)")
        }
    }

    /// Says the root cause and what to do, and ends the process.
    private func stop(_ error: LedgerError) async -> Never {
        var cause = error.message
        if error.code == .locked, let storage = try? options.storage(),
            let found = await Auditor.rootCause(storage, .system)
        {
            cause += "; the root cause: \(found)"
        }
        Output.error("bulla: stopped: \(Printable.text(cause))")
        if let remedy = error.remedy { Output.error("bulla: \(remedy)") }
        if options.json {
            Output.line(
                Printable.json(["event": "stopped", "code": .number(Double(error.code.rawValue)), "reason": .string(cause)]))
        }
        Output.exit(error.code.rawValue)
    }
}
