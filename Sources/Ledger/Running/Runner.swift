package import DurableFiles
package import LedgerFormat

/// The long-lived process: comes up, beats, audits a slice at a time, and goes down. When each happens, its caller says.
package struct Runner: Sendable {
    /// All entries go through it; it gives the ledger's lock back when nothing is to be written, so that other processes write too.
    package let committer: GroupCommitter
    private let environment: Environment
    /// For slices, which run beside everything else.
    private let storage: any Storage
    private var identities: Identities
    private var boot: AuditFinding
    private var watch: Watch
    /// What a person should know that is no error, since it was last taken.
    package private(set) var notices: [String] = []

    /// Where the ledger stood when the process was up.
    package struct Standing: Sendable {
        package var receipt: Receipt
        package var segment: UInt64
        package var offset: Int
    }

    /// Opens the ledger as every writer does, swears identities, and audits by the policy BOOT. Writes the audit's entry.
    ///
    /// - Parameter open: opens the same base once more, for each of those who use it at the same time.
    package init(
        _ environment: Environment, _ settings: WriterSettings, anchor: (any AnchorStore)? = nil,
        open: () throws(LedgerError) -> any Storage
    ) async throws(LedgerError) {
        self.environment = environment
        let started = environment.uptime()
        var session = WriterSession(try open(), environment, settings, anchor: anchor)
        let sworn = try open()
        storage = try open()
        var swearing = settings
        swearing.followsPath = false
        committer = GroupCommitter(try open(), environment, swearing, anchor: anchor)

        try session.acquire()
        defer { session.release() }
        guard let state = session.state else { preconditionFailure("the lock is held") }
        identities = try doing("cannot open the ledger") { () throws(StorageError) in
            try Identities(sworn, key: state.key.id, segment: state.segment, tip: state.tip.seq)
        }
        session.release()
        session.settings = swearing

        var finding = try await Auditor(.boot, environment).walk(storage)
        try session.acquire()
        try session.check(&identities)
        if finding.reaction == .none { throw LedgerError(finding) }
        _ = try session.record(&finding)
        boot = finding
        watch = Watch(started: started, seq: session.tip?.seq ?? 0, boot: finding)
        notices = session.takeNotices() + finding.notices
    }

    package mutating func takeNotices() -> [String] {
        defer { notices = [] }
        return notices
    }

    /// Tells that the process is up, and where the ledger stands.
    package mutating func goOnline(process: Int32) async throws(LedgerError) -> Standing {
        let summary = boot.summary
        let standing = try await committer.withSession { session throws(LedgerError) in
            guard let state = session.state else { preconditionFailure("the lock is held") }
            let draft = Drafts.online(state, process: process, audit: summary)
            let receipt = try session.commit([[draft]])[0].get().receipts[0]
            return Standing(receipt: receipt, segment: state.segment, offset: state.end)
        }
        watch.isOnline(standing.receipt)
        return standing
    }

    /// Tells that the process lives. A HEAD in alert and a path that changed are met here.
    ///
    /// - Returns: the policy of the slice that is due now.
    package mutating func pulse() async throws(LedgerError) -> AuditPolicy? {
        let (environment, watch) = (environment, watch)
        let before = identities
        let (receipt, after) = try await committer.withSession { session throws(LedgerError) in
            var identities = before
            try session.check(&identities)
            let body = watch.pulse(behind: session.tip?.seq ?? 0, uptime: environment.uptime())
            return (try session.commit([[Drafts.pulse(body)]])[0].get().receipts[0], identities)
        }
        identities = after
        return self.watch.beat(receipt)
    }

    /// What a slice does; it may run beside everything else, one at a time.
    package func slice(_ policy: AuditPolicy) -> @Sendable () async -> Result<AuditFinding, LedgerError> {
        var auditor = Auditor(policy, environment)
        auditor.progress = watch.progress
        let (ready, storage) = (auditor, storage)
        return {
            do throws(LedgerError) {
                return .success(try await ready.walk(storage))
            } catch {
                return .failure(error)
            }
        }
    }

    /// Takes what a slice found: told with the next pulse, or recorded at once.
    ///
    /// - Throws: `tampered` if it is still so under the lock; the alert is then raised.
    package mutating func take(_ finding: AuditFinding) async throws(LedgerError) {
        if finding.reaction == .none { throw LedgerError(finding) }
        notices += finding.notices
        var told = finding
        if watch.verdict(on: finding) == .record {
            do throws(LedgerError) {
                told = try await committer.withSession { session throws(LedgerError) in
                    var finding = finding
                    _ = try session.record(&finding)
                    return finding
                }
            } catch {
                // Who finds damage says so, whatever kept him from raising the alert.
                guard finding.report.verdict != .tampered || error.code == .tampered else {
                    throw LedgerError(.tampered, "\(finding.report.verdictLine); \(error.message)", at: finding.report.place)
                }
                guard error.code == .busy else { throw error }
                notices.append("the result of an audit was not recorded: \(error.message)")
            }
        }
        watch.add(told)
    }

    /// Records what its keeper was told. A record that cannot be made now is none: nothing depends on it.
    package func record(notice: String) async {
        _ = try? await committer.withSession { session throws(LedgerError) in
            try session.commit([[Drafts.notice(notice)]])[0].get()
        }
    }

    /// Tells that the process ends by itself, where the ledger can still be written: in quarantine nothing is.
    package func goOffline(after failure: LedgerError) async {
        guard ![.tampered, .locked].contains(failure.code) else { return }
        _ = try? await goOffline(reason: "failed: " + failure.message.prefix(Self.reasonCountMax), signal: nil)
    }

    private static let reasonCountMax = 1000

    /// Tells that the process ends, by which signal if by one, and keeps how far its audits came.
    package func goOffline(reason: String, signal: String?) async throws(LedgerError) -> Receipt {
        let progress = watch.progress
        return try await committer.withSession { session throws(LedgerError) in
            let receipt = try session.commit([[Drafts.offline(reason: reason, signal: signal)]])[0].get().receipts[0]
            if let progress { _ = session.keep(progress) }
            // Nobody comes after this: HEAD vouches for it before the process ends.
            session.release()
            return receipt
        }
    }
}
