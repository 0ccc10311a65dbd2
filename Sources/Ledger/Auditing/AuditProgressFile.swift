package import DurableFiles
package import LedgerFormat

extension Layout {
    /// How far audits have come.
    package static let audit = StoragePath(snapshots.name, "audit")
}

/// The sealed position as it was found, or why it is not used.
package struct FoundProgress: Sendable {
    /// Empty when there is none that can be believed.
    package var progress: AuditProgress?
    /// Why what stands there was ignored; one that is absent is no news.
    package var notice: String?

    /// A pass that takes longer is begun anew: who puts an old file back again and again hides the first entries no longer than that.
    static let passMicrosecondsMax: Int64 = 30 * 86_400_000_000

    /// Reads `snapshots/audit` and compares it with the ledger; whatever is wrong with it, the audit begins at the first entry.
    ///
    /// - Parameter given: instead of the file's, for who has it at hand; compared with the ledger all the same.
    package init(_ view: LedgerView, now: Timestamp, given: AuditProgress? = nil) {
        guard let genesis = view.genesis, let key = view.keyring.keys[view.validHead?.key ?? genesis.key] else { return }
        let fresh = AuditProgress(ledger: genesis.ledger, key: key.id)
        progress = fresh
        do throws(StorageError) {
            var found = fresh
            if let given, given.ledger == fresh.ledger, given.key == fresh.key {
                found = given
            } else if let bytes = try Self.bytes(in: view.storage) {
                do throws(SealedObjectFault) {
                    found = try AuditProgress(file: bytes, ledger: genesis.ledger, key: key)
                } catch {
                    notice = Self.ignoring("\(error)")
                    return
                }
            }
            if let pass = found.pass {
                let age = now.microseconds - pass.began.microseconds
                if !(-Self.passMicrosecondsMax...Self.passMicrosecondsMax).contains(age) {
                    notice = Self.ignoring("it is of \(pass.began), which is too long from now")
                    found.pass = nil
                } else if try !SegmentReader(view.storage).holds(pass) {
                    notice = Self.ignoring("the entry with seq \(pass.place.seq) does not stand where it says")
                    found.pass = nil
                }
            }
            progress = found
        } catch {
            // A cache that cannot be read is no reason not to look at the ledger itself.
            notice = Self.ignoring("\(error)")
        }
    }

    private static func bytes(in storage: any Storage) throws(StorageError) -> [UInt8]? {
        do throws(StorageError) {
            return try storage.open(Layout.audit, .read).contents(upTo: AuditProgress.byteCountMax)
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    private static func ignoring(_ why: String) -> String {
        "the sealed position of audits, \(Layout.audit), is ignored: \(why); the audit begins at the first entry"
    }
}

extension AuditProgress {
    /// Replaces the file; requires the writer's lock, so that nobody else does. A crash leaves the old position or the new.
    func save(in storage: any Storage, _ key: SealingKey) throws(StorageError) {
        try storage.ensureDirectory(Layout.snapshots)
        let bytes = sealed(with: key)
        try storage.replace(Layout.audit, bytes.span)
    }
}

extension SegmentReader {
    /// Whether the frame at a pass's place has its seq and hash. Its seal is checked by whoever goes on from there.
    func holds(_ pass: AuditProgress.Pass) throws(StorageError) -> Bool {
        guard segments.contains(pass.place.segment) else { return false }
        let file = try open(segment: pass.place.segment)
        guard pass.place.offset < (try file.status().size) else { return false }
        var room = 1 << 12
        while true {
            var bytes = [UInt8](repeating: 0, count: room)
            var count = 0
            while count < room {
                let read = try file.read(into: &bytes, from: count, at: pass.place.offset + count)
                if read == 0 { break }
                count += read
            }
            guard count > 0 else { return false }
            let span = bytes.span.extracting(0..<count)
            switch FrameView.find(in: span, at: 0) {
            case .frame(let frame): return frame.seq == pass.place.seq && frame.hash(in: span) == pass.hash
            case .incomplete:
                guard count == room, room < Limits.frame else { return false }
                room = Limits.frame
            case .padding, .fault: return false
            }
        }
    }

    /// The place and hash of the frame that ends at `end`; at the start of a segment, of the last one before it.
    func markOfFrame(endingAt end: Place) throws(StorageError) -> (place: Place, hash: Digest)? {
        var (segment, offset) = (end.segment, end.offset)
        if offset == 0 {
            guard let before = segments.last(where: { $0 < segment }) else { return nil }
            (segment, offset) = (before, try open(segment: before).status().size)
        }
        guard offset > 0, segments.contains(segment), let last = try lastFrame(endingAt: offset, in: open(segment: segment))
        else {
            return nil
        }
        let bytes = last.bytes.span
        return (Place(segment: segment, offset: offset - bytes.count, seq: last.frame.seq), last.frame.hash(in: bytes))
    }
}
