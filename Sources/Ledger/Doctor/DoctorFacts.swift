package import DurableFiles
package import LedgerFormat

/// What the doctor looks at: values only, so that each judgement can be tried without a machine that is ill.
package struct DoctorFacts: Sendable {
    package struct File: Sendable, Equatable {
        package var path: StoragePath
        package var status: FileStatus

        package init(_ path: StoragePath, _ status: FileStatus) {
            self.path = path
            self.status = status
        }
    }

    /// What a few synchronized writes showed.
    package enum Syncs: Sendable, Equatable {
        case skipped(String)
        case failed(String)
        case median(microseconds: Int64, count: Int)
    }

    /// When something was last done.
    package enum LastTime: Sendable, Equatable {
        /// Why it cannot be told.
        case unknown(String)
        case never
        case at(Timestamp)
    }

    /// HEAD and the end of the ledger, as a reader finds them.
    package enum End: Sendable, Equatable {
        case whole(head: Head, tipSeq: UInt64, tipTime: Timestamp)
        case faultyHead(HeadFault)
        /// Why nothing can be read, or what is damaged.
        case unreadable(String)
    }

    package var basePath: String
    package var base: FileStatus
    /// The user that looks.
    package var user: UInt32
    package var now: Timestamp
    package var volume: VolumeStatus?
    package var parents: [ParentDirectory] = []
    /// The directories, and all that lies in them and is the ledger's.
    package var files: [File] = []
    /// What lies beside the ledger, of an init or a backup that was killed.
    package var orphans: [Orphan] = []
    package var clockIsSynchronised: Bool?
    package var end: End
    /// The key that the first entry names, and why it is not there.
    package var keyID: KeyID?
    package var keyAbsence: String?
    /// The time of the first entry that the key sealed, and of its file.
    package var keyFirstUsed: Timestamp?
    package var keyFileTime: Timestamp?
    package var syncs: Syncs
    package var lastAudit: LastTime
    package var lastAnchor: LastTime
    /// What was seen of the ledger before and contradicts what it is now; empty too where that cannot be told.
    package var objections: [AnchorVerdict.Objection] = []
    package var lockHolder: LockHolder?

    package init(
        basePath: String, base: FileStatus, user: UInt32, now: Timestamp, end: End, syncs: Syncs, lastAudit: LastTime,
        lastAnchor: LastTime
    ) {
        self.basePath = basePath
        self.base = base
        self.user = user
        self.now = now
        self.end = end
        self.syncs = syncs
        self.lastAudit = lastAudit
        self.lastAnchor = lastAnchor
    }

    /// What an entry takes in the mean, up to HEAD's end: what lies behind may be room that was made and is not used yet.
    ///
    /// At least 1; nil where HEAD does not say it.
    package var meanEntryByteCount: Int? {
        guard case .whole(let head, _, _) = end else { return nil }
        let segments = files.compactMap { file -> (firstSeq: UInt64, byteCount: Int)? in
            guard file.path.directory == Layout.ledger.name else { return nil }
            return SegmentName.firstSeq(file: file.path.name).map { ($0, file.status.size) }
        }
        // Earlier ones may be archived.
        guard let first = segments.map(\.firstSeq).min(), first <= head.seq else { return nil }
        let byteCount = segments.reduce(head.end) { $1.firstSeq < head.segment ? $0 + $1.byteCount : $0 }
        return max(1, byteCount / Int(clamping: head.seq - first + 1))
    }
}
