import DurableFiles
import Ledger
import LedgerFormat

/// The directory that an archive goes to: looked at before anything is done, and made only then.
struct ArchivePlace {
    private let path: String
    private let ledger: POSIXStorage

    init(_ path: String, of ledger: POSIXStorage) { (self.path, self.ledger) = (path, ledger) }

    /// What would stop an archive there, as far as it can be seen; changes nothing.
    func check(_ plan: ArchivePlan) throws(LedgerError) {
        let there = try existing()
        let (volume, absent) = try doing("cannot use the archive's directory") { () throws(StorageError) in
            let base: POSIXStorage
            if let there { base = there } else { base = try open(LedgerOptions.parent(of: path)) }
            guard try there?.status(of: Layout.ledger) != nil else {
                try base.checkWritable()
                return (try base.volume(), plan.segments)
            }
            try base.checkWritable(Layout.ledger)
            var absent: [ArchivePlan.Segment] = []
            for segment in plan.segments where try base.status(of: SegmentReader.path(ofSegment: segment.first)) == nil {
                absent.append(segment)
            }
            return (try base.volume(), absent)
        }
        let needed = absent.reduce(0) { $0 + $1.byteCount }
        guard volume.freeByteCount >= needed else {
            throw LedgerError(
                .inputOutput,
                "there is no room at \(path) for what would move: \(Format.bytes(needed)), and \(Format.bytes(volume.freeByteCount)) are free; "
                    + "make room, or name another directory")
        }
        if let there { try checkSizes(plan, there) }
    }

    /// A copy of an earlier attempt may be there; what has another size is none.
    private func checkSizes(_ plan: ArchivePlan, _ target: POSIXStorage) throws(LedgerError) {
        for segment in plan.segments {
            let path = SegmentReader.path(ofSegment: segment.first)
            let status = try doing("cannot use the archive's directory") { () throws(StorageError) in try target.status(of: path)
            }
            guard let status, status.kind != .regular || status.size != segment.byteCount else { continue }
            throw LedgerError(
                .refused, "\(self.path)/\(path) is there already and is no copy of this ledger's; name another directory")
        }
    }

    /// Opened, or made.
    func opened() throws(LedgerError) -> POSIXStorage {
        let there = try existing()
        return try doing("cannot use the archive's directory") { () throws(StorageError) in
            if let there {
                try there.ensureDirectory(Layout.ledger)
                return there
            }
            let made = try POSIXStorage(
                constructing: path, random: Environment.system.random(),
                allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
            LedgerOptions.removeOrphans(beside: made)
            do throws(StorageError) {
                try made.makeDirectory(Layout.ledger)
                try made.publish()
            } catch {
                made.abandon()
                throw error
            }
            return made
        }
    }

    private func open(_ path: String) throws(StorageError) -> POSIXStorage {
        try POSIXStorage(path: path, allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
    }

    /// What stands there, if it may hold an archive: no ledger, and least of all this one under another path, whose files would count
    /// as their own copies, and go.
    private func existing() throws(LedgerError) -> POSIXStorage? {
        let found = try doing("cannot use the archive's directory") { () throws(StorageError) -> (POSIXStorage, Bool, Bool)? in
            let target: POSIXStorage
            do throws(StorageError) { target = try open(path) } catch {
                guard error.isNotFound else { throw error }
                return nil
            }
            let own = try ledger.status(of: Layout.ledger)?.identity
            let there = try target.status(of: Layout.ledger)?.identity
            let (head, keys) = (try target.status(of: Layout.head), try target.status(of: Layout.keys))
            return (target, own != nil && own == there, head != nil || keys != nil)
        }
        guard let (target, isOwn, isLedger) = found else { return nil }
        if isOwn { throw LedgerError(.refused, "\(path) is the ledger itself under another path; name another directory") }
        if isLedger { throw LedgerError(.refused, "\(path) is a ledger itself; name another directory") }
        if target.owner != target.user {
            throw LedgerError(.refused, "\(path) belongs to another user; only its owner archives there")
        }
        if let refusal = try ArchiveContents(of: target).refusal(of: LedgerView(ledger).ledger, at: path) { throw refusal }
        return target
    }
}
