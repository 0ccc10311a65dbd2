import Dispatch
import Ledger
import LedgerFormat

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What wakes a long-lived process, one after the other: time, signals, and slices that have ended.
struct RunEvents {
    enum Event: Sendable {
        case pulse
        case signal(Int32)
        case audited(Result<AuditFinding, LedgerError>)
        /// Snapshots were looked after, by who comes with it.
        case kept(SnapshotKeeper)
        /// Traumas were looked through, by who comes with it.
        case reviewed(PatchReviewer)
    }

    let stream: AsyncStream<Event>
    private let sender: AsyncStream<Event>.Continuation
    private let queue = DispatchQueue(label: "bulla.run")
    private var signals: [any DispatchSourceSignal] = []

    init() { (stream, sender) = AsyncStream.makeStream() }

    /// From its return on these signals are events, and end the process no more.
    mutating func takeSignals(_ numbers: [Int32]) async {
        for number in numbers {
            let sender = sender
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { sender.yield(.signal(number)) }
            await withCheckedContinuation { registered in
                source.setRegistrationHandler { registered.resume() }
                source.resume()
            }
            signals.append(source)
        }
    }

    func pulse(after seconds: Double) {
        let sender = sender
        queue.asyncAfter(deadline: .now() + seconds) { sender.yield(.pulse) }
    }

    func audit(_ slice: @escaping @Sendable () async -> Result<AuditFinding, LedgerError>) {
        let sender = sender
        Task.detached { sender.yield(.audited(await slice())) }
    }

    func keepSnapshots(_ keeper: SnapshotKeeper) {
        let sender = sender
        Task.detached {
            var keeper = keeper
            keeper.keep()
            sender.yield(.kept(keeper))
        }
    }

    func review(_ reviewer: PatchReviewer) {
        let sender = sender
        Task.detached {
            var reviewer = reviewer
            reviewer.review()
            sender.yield(.reviewed(reviewer))
        }
    }

    static let stopping: [Int32] = [SIGINT, SIGTERM]

    static func name(of signal: Int32) -> String { signal == SIGINT ? "SIGINT" : signal == SIGTERM ? "SIGTERM" : "\(signal)" }

    static var process: Int32 { getpid() }
}
