package import DurableFiles
import LedgerFormat

extension DoctorFacts {
    /// Looks at a ledger and the machine around it; reads only, but for the file of the syncs.
    ///
    /// - Parameter syncCount: how many synchronized writes to time; 0 for none.
    package init(
        _ storage: POSIXStorage, _ environment: Environment, anchor: (any AnchorStore)?, syncCount: Int
    ) throws(LedgerError) {
        let base = try doing("cannot look at the ledger") { () throws(StorageError) in try storage.baseStatus() }
        let files = try Self.files(in: storage)
        let watch = try? AnchorWatch(anchor, storage)
        let reading = Reading(storage, environment)
        self.init(
            basePath: storage.basePath, base: base, user: storage.user, now: environment.now(), end: reading.end,
            syncs: SyncTiming.run(storage, environment, count: syncCount), lastAudit: LastTime.fullAudit(storage, environment),
            lastAnchor: LastTime.anchor(anchor, reading.genesis?.ledger))
        volume = try? storage.volume()
        parents = storage.parents()
        self.files = files
        orphans = POSIXStorage.orphans(beside: storage.basePath)
        clockIsSynchronised = ClockDiscipline.isSynchronised
        keyID = reading.key
        keyAbsence = reading.keyAbsence
        // Of a later key the file's time says enough.
        keyFirstUsed = reading.genesis.flatMap { $0.key == reading.key ? $0.time : nil }
        if let keyID {
            let path = StoragePath(Layout.keys.name, SealingKey.fileName(keyID))
            // A file can bear any time, also one that no calendar has.
            keyFileTime = (try? storage.modificationTime(of: path)).map { seconds in
                Timestamp(microseconds: min(max(seconds, -Self.secondsMax), Self.secondsMax) * 1_000_000)
            }
        }
        if case .whole(_, let tipSeq, _) = end, case .alarm(let found)? = try? watch?.verdict(lastSeq: tipSeq, environment) {
            objections = found
        }
        lockHolder = storage.holder(of: .writer)
    }

    private static let secondsMax: Int64 = 1_000_000_000_000
    private static let singles = [
        Layout.head, StoragePath("HEAD.new"), Layout.repair, StoragePath("repair.new"), SyncTiming.path,
    ]

    private static func files(in storage: POSIXStorage) throws(LedgerError) -> [File] {
        try doing("cannot look at the ledger") { () throws(StorageError) in
            var files: [File] = []
            for path in singles {
                if let status = try storage.status(of: path) { files.append(File(path, status)) }
            }
            for directory in [Layout.ledger, Layout.keys, Layout.quarantine, Layout.snapshots] {
                guard let status = try storage.status(of: directory) else { continue }
                files.append(File(directory, status))
                guard status.kind == .directory else { continue }
                for name in try storage.names(in: directory).sorted() {
                    let path = StoragePath(directory.name, name)
                    // It may be gone already.
                    if let status = try storage.status(of: path) { files.append(File(path, status)) }
                }
            }
            return files
        }
    }

    /// The ledger as a reader finds it.
    private struct Reading {
        var end: End
        var genesis: ChainTip?
        /// The one that the next entry must be sealed with.
        var key: KeyID?
        var keyAbsence: String?

        init(_ storage: POSIXStorage, _ environment: Environment) {
            do throws(LedgerError) {
                let view = try Self.view(storage)
                end = .unreadable("")
                genesis = view.genesis
                key = view.validHead?.key ?? view.genesis?.key
                keyAbsence = view.keyAbsence
                switch view.head {
                case .failure(let fault): end = .faultyHead(fault)
                case .success(let head):
                    let reader = EntryReader(view, environment)
                    try reader.checkHead()
                    let tip = try reader.lastSeq()
                    end = .whole(head: head, tipSeq: tip, tipTime: try reader.entry(tip).time)
                }
            } catch {
                end = .unreadable(error.message)
            }
        }

        /// A key file that must not be used is found by another check, and no reason to see nothing else.
        private static func view(_ storage: POSIXStorage) throws(LedgerError) -> LedgerView {
            do throws(LedgerError) { return try LedgerView(storage) } catch {
                guard error.code == .refused else { throw error }
                return try LedgerView(storage, keyring: Keyring())
            }
        }
    }
}

extension DoctorFacts.LastTime {
    /// When all entries were last verified, as far as this ledger keeps a record of it.
    static func fullAudit(_ storage: POSIXStorage, _ environment: Environment) -> Self {
        let view: LedgerView
        do throws(LedgerError) { view = try LedgerView(storage) } catch { return .unknown(error.message) }
        let found = FoundProgress(view, now: environment.now())
        if let full = found.progress?.full { return .at(full.time) }
        return (view.keyAbsence ?? found.notice).map { .unknown($0) } ?? .never
    }

    /// When the end of this ledger was last noted outside of it.
    static func anchor(_ store: (any AnchorStore)?, _ ledger: LedgerID?) -> Self {
        guard let store else { return .unknown("anchors are switched off") }
        guard let ledger else { return .unknown("the first entry does not say which ledger it is") }
        switch store.read(ledger) {
        case .absent: return .never
        case .found(let anchor): return anchor.sighting(at: store.here).map { .at($0.time) } ?? .never
        case .unusable(let why): return .unknown(why)
        }
    }
}
