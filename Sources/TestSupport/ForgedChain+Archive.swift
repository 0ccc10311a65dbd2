import CanonicalJSON
package import LedgerFormat

extension ForgedChain {
    /// What is true of the first segments.
    package func statement(of count: Int) -> ArchiveStatement {
        let parts = (0..<count).map { index in
            let bytes = segments[index].bytes
            let last = segments[index + 1].firstSeq - 1
            guard let tip = entries.last(where: { $0.tip.seq <= last })?.tip else { preconditionFailure("the segment is empty") }
            return ArchiveStatement.Segment(
                first: segments[index].firstSeq, last: last, byteCount: bytes.count, digest: Digest(sha256: bytes.span),
                tip: tip.hash, key: tip.key)
        }
        var keys = [ArchiveStatement.Key(key: Self.keys[0].id, introduced: 1)]
        for entry in entries where entry.tip.seq < segments[count].firstSeq && entry.tip.key != keys[keys.count - 1].key {
            keys.append(.init(key: entry.tip.key, introduced: entry.tip.seq))
        }
        return ArchiveStatement(segments: parts, keys: keys)
    }

    /// Records that the first segments were archived, truly unless it is changed.
    package mutating func archive(_ count: Int, _ change: (inout ArchiveStatement) -> Void = { _ in }) {
        var statement = statement(of: count)
        change(&statement)
        append {
            $0.action = ArchiveStatement.action
            $0.body = JSON.object(statement.members).canonicalText
        }
    }
}
