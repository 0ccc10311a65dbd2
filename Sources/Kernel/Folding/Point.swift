import CanonicalJSON
package import Ledger
package import LedgerFormat

/// A point of a ledger's history, as a user names it.
package enum Point: Sendable, Equatable {
    case seq(UInt64)
    /// The entry with this hash, as receipts name it.
    case hash(Digest)
    /// The last entry before which, itself included, no entry is later than this.
    case time(Timestamp)

    /// Reads a seq, a hash of 64 hexadecimal digits, or an RFC 3339 time in UTC.
    package init?(_ text: String) {
        if let seq = UInt64(text), (1...Limits.seq).contains(seq), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            self = .seq(seq)
        } else if let hash = Digest(text) {
            self = .hash(hash)
        } else if let time = Timestamp(anyFraction: text) {
            self = .time(time)
        } else {
            return nil
        }
    }
}

extension Point {
    /// What a user gives for it.
    package var argument: String {
        switch self {
        case .seq(let seq): "\(seq)"
        case .hash(let hash): "\(hash)"
        case .time(let time): "\(time)"
        }
    }
}

extension Point: CustomStringConvertible {
    package var description: String {
        switch self {
        case .seq(let seq): "seq \(seq)"
        case .hash(let hash): "hash \(hash)"
        case .time(let time): "\(time)"
        }
    }
}

extension Point {
    /// Up to where a fold goes that ends at this point.
    ///
    /// - Throws: `refused` for a seq or hash that no entry has, or that was lost in a repair or re-admitted without proof.
    package func end(in view: LedgerView, _ environment: Environment) throws(LedgerError) -> FoldEnd {
        switch self {
        case .time(let time): return FoldEnd(time: time)
        case .seq(let seq): return FoldEnd(seq: try Self.position(of: seq, in: view, environment))
        case .hash(let hash):
            var found: UInt64?
            try EntryReader(view, environment).read(from: view.firstSeq) { frame, bytes in
                let readmitted = Readmission(frame, of: bytes)
                if frame.hash(in: bytes) == hash || readmitted?.entry.hash == hash && readmitted?.isProven == true {
                    found = frame.seq
                }
                return found == nil
            }
            guard let found else {
                let isWhole = view.base == nil
                throw LedgerError(
                    .refused,
                    isWhole ? "no entry has the hash \(hash)" : "no entry from seq \(view.firstSeq) on has the hash \(hash)")
            }
            return FoldEnd(seq: found)
        }
    }

    /// Where in the chain the entry stands that was recorded with this seq.
    private static func position(of seq: UInt64, in view: LedgerView, _ environment: Environment) throws(LedgerError) -> UInt64 {
        let reader = EntryReader(view, environment)
        switch try reader.fate(of: seq) {
        case .inPlace: return seq
        case .readmitted(let readmission, let position):
            guard readmission.isProven else {
                throw LedgerError(
                    .refused,
                    "entry \(seq) was re-admitted by a repair without proof, in entry \(position): it has no state of its own")
            }
            return position
        case .lost(let repair): throw LedgerError(.refused, "entry \(seq) was lost in repair \(repair): there is no state of it")
        case nil: throw LedgerError(.refused, "there is no entry \(seq); the last one is \(try reader.lastSeq())")
        }
    }
}
