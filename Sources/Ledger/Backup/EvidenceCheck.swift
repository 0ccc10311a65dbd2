import CanonicalJSON
import DurableFiles
import LedgerFormat

/// Compares evidence with the digests that entries name. A piece that is not there is no matter: no entry depends on it.
///
/// Of a ledger that a repair replaced, entries name the damaged ranges: the rest stands in the repaired one too.
struct EvidenceCheck {
    /// What an entry says of bytes in `quarantine/`.
    private struct Claim {
        var seq: UInt64
        var path: StoragePath
        /// Nil for the whole file.
        var range: Range<Int>?
        /// Of their SHA-256: all hex digits, or the first ones.
        var digest: String
    }

    private var claims: [Claim] = []

    private static let actions: Set<String> = ["ledger.tail_cut", ChainTurn.repaired, "snapshot.ignored"]

    /// Takes what an entry says, also one that a repair has re-admitted.
    mutating func note(_ frame: FrameView, _ bytes: Span<UInt8>) {
        if let readmission = Readmission(frame, of: bytes) {
            note(readmission.view, readmission.frame.span)
        } else if Self.actions.contains(bytes.text(frame.action)), let body = try? JSON(parsing: bytes.copy(frame.body)) {
            note(body, frame.seq)
        }
    }

    private mutating func note(_ body: JSON, _ seq: UInt64) {
        if let path = Self.path(body["evidence"]) {
            if let digest = body["sha256"]?.string { claims.append(Claim(seq: seq, path: path, range: nil, digest: digest)) }
            for damage in body["damages"]?.array ?? [] {
                // Where a segment is missing there are no bytes.
                if let segment = damage["segment"]?.string, SegmentName.firstSeq(file: segment) != nil,
                    let offset = damage["offset"]?.integer, let count = damage["bytes"]?.integer, offset >= 0, count > 0,
                    let digest = damage["sha256"]?.string
                {
                    let range = Int(offset)..<Int(offset) + Int(count)
                    claims.append(Claim(seq: seq, path: StoragePath(path, segment), range: range, digest: digest))
                }
            }
        }
        // HEAD's name ends with the first digits.
        if let path = Self.path(body["head"]?["evidence"]), let last = path.name.split(separator: "-").last {
            claims.append(Claim(seq: seq, path: path, range: nil, digest: String(last.prefix { $0 != "." })))
        }
    }

    /// One step below `quarantine/`, whatever the entry says.
    private static func path(_ member: JSON?) -> StoragePath? {
        let parts = member?.string?.pathParts(keepingEmpty: true) ?? []
        guard parts.count == 2, parts[0] == Layout.quarantine.name, !["", ".", ".."].contains(parts[1]),
            !parts[1].utf8.contains(0)
        else { return nil }
        return StoragePath(parts[0], parts[1])
    }

    /// What is there and is not what an entry says, in words.
    func differences(in storage: any Storage) throws(StorageError) -> [String] {
        var found: [String] = []
        for claim in claims {
            let path = "\(storage.basePath)/\(claim.path)"
            do throws(StorageError) {
                let file = try storage.open(claim.path, .read)
                let digest: Digest
                if let range = claim.range { digest = try file.digest(of: range) } else { digest = try file.digest() }
                guard !digest.description.hasPrefix(claim.digest) else { continue }
                let what = claim.range.map { "\(path), bytes \($0.lowerBound) to \($0.upperBound - 1)" } ?? path
                found.append("\(what): the evidence is not what the entry with seq \(claim.seq) says: its SHA-256 is another")
            } catch {
                if error.isNotFound { continue }
                guard case .refused = error.kind else { throw error }
                found.append("\(path): the evidence that the entry with seq \(claim.seq) names is no file of ours: \(error)")
            }
        }
        return found
    }
}
