package import DurableFiles
import LedgerFormat
import PlantedDefects

/// Proves that a backup could take its ledger's place: everything that an opening writer asks for, and every entry. Writes nothing.
package struct BackupCheck: Sendable {
    package var threadCount = 1
    package var progress: (@Sendable (Int, Int) -> Void)?

    private let environment: Environment

    package init(_ environment: Environment) { self.environment = environment }

    /// Something that stands in the way of a restore.
    package struct Objection: Sendable, Equatable {
        package var code: ErrorCode
        package var message: String
    }

    /// How the backup stands to the ledger that it was made of.
    package struct Comparison: Sendable, Equatable {
        package var path: String
        package var lastSeq: UInt64
        /// The entries of the backup that were compared: it may be damaged behind them.
        package var compared: ClosedRange<UInt64>
        /// Entries that the ledger has behind them.
        package var missingCount: UInt64 { lastSeq - compared.upperBound }
    }

    package struct Report: Sendable {
        package var audit: AuditReport
        package var objections: [Objection]
        package var comparison: Comparison?

        /// Design §4: tampering wins over an absent key, and that over a rule.
        package var exitCode: Int32 {
            let codes = objections.map(\.code.rawValue)
            if audit.verdict == .tampered || codes.contains(10) { return 10 }
            if audit.verdict == .unverifiable || codes.contains(11) { return 11 }
            return codes.first ?? audit.exitCode
        }
    }

    /// - Parameters:
    ///   - base: the backup's directory itself.
    ///   - original: the ledger that it is a backup of, if it is at hand.
    ///   - mustMatch: whether an original with another id is an objection, or just another ledger.
    package func run(
        _ storage: any Storage, base: FileStatus, original: (any Storage)?, mustMatch: Bool
    ) async throws(LedgerError) -> Report {
        var audit = Audit(environment)
        audit.threadCount = threadCount
        audit.progress = progress
        let view = try LedgerView(storage)
        var report = Report(audit: try await audit.run(storage), objections: [], comparison: nil)
        report.objections = try obstacles(storage, view) + openings(storage, base) + evidence(view)
        if let original { try compare(&report, with: original, mustMatch) }
        return report
    }

    /// What would keep a writer from opening it.
    private func obstacles(_ storage: any Storage, _ view: LedgerView) throws(LedgerError) -> [Objection] {
        var found: [Objection] = []
        if storage.user != storage.owner {
            found.append(
                .init(
                    code: .refused,
                    message:
                        "it belongs to user \(storage.owner), and we are user \(storage.user): only its owner could write there"))
        }
        if let absence = view.keyAbsence {
            found.append(.init(code: .unverifiable, message: "without the key nothing can be written: \(absence)"))
        }
        if view.validHead?.alert == true {
            found.append(.init(code: .refused, message: "its HEAD is in alert: restored, it would be read, not written"))
        }
        try doing("cannot look at the backup") { () throws(StorageError) in
            for directory in [Layout.ledger, Layout.keys] {
                guard let status = try storage.status(of: directory) else {
                    found.append(.init(code: .refused, message: "\(directory)/ is missing"))
                    continue
                }
                if status.mode & 0o700 != 0o700 { found.append(unwritable("\(directory)/", status)) }
            }
            for segment in view.segments {
                let path = SegmentReader.path(ofSegment: segment)
                if let status = try storage.status(of: path), status.mode & 0o600 != 0o600 {
                    found.append(unwritable(path.description, status))
                }
            }
        }
        return found
    }

    /// Evidence that is there must be what entries say of it.
    private func evidence(_ view: LedgerView) throws(LedgerError) -> [Objection] {
        let storage = view.storage
        let names = try doing("cannot look at the evidence") { () throws(StorageError) in
            // An empty directory is easily lost in a copy.
            try storage.status(of: Layout.quarantine) == nil ? [] : storage.names(in: Layout.quarantine)
        }
        guard !names.isEmpty, !planted(.evidenceUncompared) else { return [] }
        var check = EvidenceCheck()
        // Damage, which the audit has told, hides what stands behind it.
        _ = try? EntryReader(view, environment).read(from: view.firstSeq) { frame, bytes in
            check.note(frame, bytes)
            return true
        }
        let differences = try doing("cannot read the evidence") { () throws(StorageError) in try check.differences(in: storage) }
        return differences.map { Objection(code: .tampered, message: $0) }
    }

    /// What others could read or change of it: the key is in it.
    private func openings(_ storage: any Storage, _ base: FileStatus) throws(LedgerError) -> [Objection] {
        var found: [Objection] = []
        if base.mode & 0o077 != 0 {
            found.append(open(storage.basePath, base, mode: "700"))
        }
        try doing("cannot look at the backup") { () throws(StorageError) in
            guard try storage.status(of: Layout.keys)?.kind == .directory else { return }
            for name in try storage.names(in: Layout.keys).sorted() {
                let path = StoragePath(Layout.keys.name, name)
                if let status = try storage.status(of: path), status.mode & 0o077 != 0 {
                    found.append(open("\(storage.basePath)/\(path)", status, mode: "600"))
                }
            }
        }
        return found
    }

    private func open(_ path: String, _ status: FileStatus, mode: String) -> Objection {
        Objection(
            code: .refused,
            message:
                "\(path) is open to others (mode \(String(status.mode, radix: 8))): check who was there, then chmod \(mode) it")
    }

    private func unwritable(_ path: String, _ status: FileStatus) -> Objection {
        Objection(code: .refused, message: "\(path) cannot be written by its owner (mode \(String(status.mode, radix: 8)))")
    }

    /// The backup's last entry must be one of the ledger's.
    private func compare(_ report: inout Report, with original: any Storage, _ mustMatch: Bool) throws(LedgerError) {
        guard let tip = report.audit.tip else { return }
        let view = try LedgerView(original)
        let path = original.basePath
        guard let ledger = view.genesis?.ledger ?? view.validHead?.ledger, ledger == tip.ledger else {
            if mustMatch {
                report.objections.append(
                    .init(code: .refused, message: "it is a backup of ledger \(tip.ledger), and \(path) is another one"))
            }
            return
        }
        let reader = EntryReader(view, environment)
        let last = try reader.lastSeq()
        guard last >= tip.seq else {
            report.objections.append(
                .init(
                    code: .tampered,
                    message:
                        "the ledger at \(path) ends at seq \(last), before the backup's seq \(tip.seq): the ledger stepped back"))
            return
        }
        let compared = min(report.audit.firstSeq, tip.seq)...tip.seq
        // What a repair there lost, the backup still has.
        if case .lost = try reader.fate(of: tip.seq) {
            report.comparison = Comparison(path: path, lastSeq: last, compared: compared)
            return
        }
        guard try reader.entry(tip.seq).hash == tip.hash else {
            report.objections.append(
                .init(code: .tampered, message: "the ledger at \(path) has another entry with seq \(tip.seq): two histories"))
            return
        }
        report.comparison = Comparison(path: path, lastSeq: last, compared: compared)
    }
}
