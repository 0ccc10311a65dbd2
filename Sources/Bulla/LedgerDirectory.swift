import DurableFiles
import Ledger
import LedgerFormat

/// A ledger in a directory: the place from which everything else is reached.
public struct LedgerDirectory: Sendable {
    /// As it was given.
    public let path: String
    private let stateFolder: StateFolder

    /// Names a directory; nothing is opened yet.
    ///
    /// - Parameter stateFolder: where the highest entry seen is kept, so that a step back to an older state is noticed.
    public init(_ path: String, stateFolder: StateFolder = .standard) {
        self.path = path
        self.stateFolder = stateFolder
    }

    /// Makes a new ledger here: directory, sealing key, first entry. Nothing is ever overwritten.
    @discardableResult
    public func create() throws(LedgerFailure) -> Receipt {
        let environment = Environment.system
        let storage = try files { () throws(StorageError) in
            try POSIXStorage(constructing: path, random: environment.random())
        }
        return try publicly { () throws(LedgerError) in
            do throws(LedgerError) {
                let receipt = try Initialization.run(storage, environment)
                if let anchor, let head = try? LedgerView(storage).validHead {
                    // Without an anchor the ledger is none the worse.
                    _ = anchor.update(head.ledger) { $0.note(Anchor.Sighting(head, at: anchor.here, environment.now())) }
                }
                return Receipt(receipt)
            } catch {
                storage.abandon()
                throw error
            }
        }
    }

    /// Opens the ledger for recording; its lock is taken when something is to be written.
    public func openWriter() throws(LedgerFailure) -> LedgerWriter { LedgerWriter(try open(), anchor: anchor) }

    /// Opens the ledger for decisions on folded state; its lock is taken for each.
    ///
    /// - Parameter snapshotEvery: entries from one snapshot of a projection's state to the next; at least 1.
    public func openKernel(snapshotEvery: UInt64 = 10_000) throws(LedgerFailure) -> LedgerKernel {
        LedgerKernel(try open(), anchor: anchor, snapshotEvery: max(1, snapshotEvery))
    }

    /// Verifies the whole ledger without a lock and without writing a byte.
    ///
    /// - Parameter threads: how many pieces are verified at the same time.
    /// - Throws: when the ledger could not be read; damage is an answer, not an error.
    public func verify(threads: Int = 1) async throws(LedgerFailure) -> Verification {
        var audit = Audit(.system)
        audit.threadCount = max(1, threads)
        let storage = try open()
        do throws(LedgerError) {
            let watch = try AnchorWatch(anchor, storage)
            var report = try await audit.run(storage)
            if let watch, report.verdict != .tampered {
                let verdict = try watch.verdict(lastSeq: report.lastSeq, .system)
                report.add(verdict, ledger: path)
            }
            return Verification(report)
        } catch {
            throw LedgerFailure(error)
        }
    }

    /// Folds all entries in their order into a state; each one's seal and link is checked on the way.
    ///
    /// - Throws: at the first damage, after everything before it was applied.
    public func fold<State>(
        into state: State, _ apply: (inout State, RecordedEvent) -> Void
    ) throws(LedgerFailure) -> State {
        var state = state
        let storage = try open()
        _ = try publicly { () throws(LedgerError) in
            try EntryReader(try LedgerView(storage), .system).read(from: 1) { frame, bytes in
                // What a repair re-admitted counts as it did where the chain proves it, and else does not.
                if let readmission = Readmission(frame, of: bytes) {
                    if readmission.isProven { apply(&state, RecordedEvent(readmission.entry)) }
                } else {
                    apply(&state, RecordedEvent(Entry(frame, of: bytes)))
                }
                return true
            }
        }
        return state
    }

    private var anchor: AnchorFolder? { stateFolder.anchor(of: path) }

    private func open() throws(LedgerFailure) -> POSIXStorage {
        try files { () throws(StorageError) in try POSIXStorage(path: path) }
    }

    private func files<Result>(_ body: () throws(StorageError) -> Result) throws(LedgerFailure) -> Result {
        do throws(StorageError) {
            return try body()
        } catch {
            throw LedgerFailure(LedgerError(error, doing: "cannot open the ledger at \(path)"))
        }
    }
}

/// What verifying a ledger found.
public struct Verification: Sendable, Equatable {
    /// `torn` is the work of a crash and is mended by the next writer; `tampered` is not; `unverifiable` says that the
    /// sealing key is absent.
    public enum Verdict: String, Sendable {
        case intact, torn, tampered, unverifiable, partial
    }

    /// The verdict alone.
    public let verdict: Verdict
    /// Entries that were verified.
    public let entryCount: UInt64
    /// The verdict in one line, with segment, offset, seq and reason: the same that `bulla verify` prints.
    public let line: String

    init(_ report: AuditReport) {
        guard let verdict = Verdict(rawValue: report.verdict.rawValue) else { preconditionFailure("the verdicts are the same") }
        self.verdict = verdict
        entryCount = report.entryCount
        line = report.verdictLine
    }
}

/// A verified entry, as its writer meant it.
public struct RecordedEvent: Sendable {
    /// The entry's number, from 1.
    public let seq: UInt64
    /// Microseconds since 1970-01-01T00:00:00Z.
    public let microseconds: Int64
    /// Who, `kind:name`.
    public let actor: String
    /// Dotted verb.
    public let action: String
    /// The justification's reason.
    public let reason: String
    /// A canonical JSON object (RFC 8785).
    public let body: [UInt8]

    init(_ entry: Entry) {
        seq = entry.seq
        microseconds = entry.time.microseconds
        actor = entry.actor
        action = entry.action
        reason = entry.justification.reason
        body = entry.body
    }
}
