package import DurableFiles
package import Ledger
import LedgerFormat

/// The snapshots of one projection, in `snapshots/`: `NAME-SEQ`, the seq in 20 digits.
package struct SnapshotFolder<State: Projection>: Sendable {
    private let storage: any Storage

    package init(_ storage: any Storage) { self.storage = storage }

    /// So many are kept; the older ones, with which earlier points are reached sooner, go.
    package static var countMax: Int { 10 }

    package static func path(of seq: UInt64) -> StoragePath {
        StoragePath(Layout.snapshots.name, prefix + String(SegmentName.file(firstSeq: seq).prefix(20)))
    }

    private static var prefix: String { State.name + "-" }

    private static func seq(ofFile name: String) -> UInt64? {
        guard name.hasPrefix(prefix) else { return nil }
        return SegmentName.firstSeq(file: name.dropFirst(prefix.count) + ".frames")
    }

    /// The seqs that there are files for, rising.
    package func seqs() throws(StorageError) -> [UInt64] {
        do throws(StorageError) {
            return try storage.names(in: Layout.snapshots).compactMap(Self.seq(ofFile:)).sorted()
        } catch {
            if error.isNotFound { return [] }
            throw error
        }
    }

    /// One that the ledger bears out, or why it is ignored.
    package func load(_ seq: UInt64, in view: LedgerView, _ environment: Environment) -> Result<Snapshot<State>, SnapshotFault> {
        let bytes: [UInt8]
        do throws(StorageError) {
            let file = try storage.open(Self.path(of: seq), .read)
            guard try file.status().size <= Snapshot<State>.byteCountMax else {
                return .failure(.unreadable("it is larger than any snapshot"))
            }
            bytes = try file.contents(upTo: file.status().size)
        } catch {
            // A cache that cannot be read is no reason not to look at the ledger itself.
            return .failure(.unreadable("\(error)"))
        }
        guard let head = view.validHead else { return .failure(.seal(.foreign)) }
        guard view.keyring.keys[head.key] != nil else { return .failure(.unreadable(view.keyring.absence(of: head.key))) }
        do throws(SnapshotFault) {
            let snapshot = try Snapshot<State>(
                file: bytes, ledger: head.ledger, key: head.key, keys: view.keyring.keys)
            guard snapshot.mark.seq == seq else { return .failure(.seal(.form)) }
            guard seq + 1 >= view.firstSeq else { return .failure(.archived) }
            try Self.check(snapshot.mark, view, environment)
            return .success(snapshot)
        } catch {
            return .failure(error)
        }
    }

    /// The entry that it was made at stands in the ledger.
    private static func check(_ mark: Mark, _ view: LedgerView, _ environment: Environment) throws(SnapshotFault) {
        guard let head = view.validHead, mark.seq <= head.seq else { throw .otherHistory }
        // The first entry that is there names the hash of the last archived one.
        if mark.seq < view.firstSeq {
            guard mark.hash == view.base?.previousHash else { throw .otherHistory }
            return
        }
        let fate: EntryReader.Fate?
        // Damage there is for others to tell.
        do throws(LedgerError) { fate = try EntryReader(view, environment).fate(of: mark.seq) } catch {
            throw .untold("\(error)")
        }
        switch fate {
        case .inPlace(let entry) where entry.hash == mark.hash: return
        case .readmitted, .lost: throw .repaired
        case .inPlace, nil: throw .otherHistory
        }
    }

    /// What writers were killed at.
    private func removeLeftovers() throws(StorageError) {
        for name in try storage.names(in: Layout.snapshots) where name.hasPrefix(Self.prefix) && name.hasSuffix(".new") {
            try storage.remove(StoragePath(Layout.snapshots.name, name))
        }
    }

    /// Writes one; requires the writer's lock, so that nobody else does. A crash leaves it or not.
    ///
    /// - Returns: whether it was small enough.
    func save(_ snapshot: Snapshot<State>, _ key: SealingKey) throws(LedgerError) -> Bool {
        let bytes: [UInt8]
        do throws(SnapshotFault) { bytes = try snapshot.sealed(with: key) } catch {
            throw LedgerError(.refused, "no snapshot of \(State.name) can be made: \(error)")
        }
        guard bytes.count <= Snapshot<State>.byteCountMax else { return false }
        do throws(StorageError) {
            try storage.ensureDirectory(Layout.snapshots)
            try removeLeftovers()
            try storage.replace(Self.path(of: snapshot.mark.seq), bytes.span)
            for old in try seqs().dropLast(Self.countMax) { try storage.remove(Self.path(of: old)) }
        } catch {
            throw LedgerError(error, doing: "cannot write a snapshot")
        }
        return true
    }
}
