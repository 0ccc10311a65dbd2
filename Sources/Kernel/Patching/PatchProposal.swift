package import CanonicalJSON
package import LedgerFormat

/// What `patch.proposed` says: the diff, the texts between which it lies by their digests, and what shows that it is wanted.
package struct PatchProposal: Sendable, Equatable {
    package let handbook: String
    package let base, result: Digest
    package let diff: String
    package let evidence: [UInt64]
    /// Of the traumas for which a review drafted it; nil if somebody wrote it.
    package let signature: Signature?

    package static let action = "patch.proposed"
    package static let diffByteCountMax = 256 << 10

    package init(_ base: Handbook, to result: Handbook, _ diff: UnifiedDiff, evidence: [UInt64], signature: Signature? = nil) {
        handbook = base.name.text
        self.base = base.digest
        self.result = result.digest
        self.diff = String(decoding: diff.text(of: handbook), as: UTF8.self)
        self.evidence = evidence
        self.signature = signature
    }

    package func change(_ seq: UInt64) -> HandbookChange {
        HandbookChange(proposal: seq, handbook: handbook, base: base, result: result, diff: Digest(sha256: Array(diff.utf8).span))
    }

    var body: JSONObject {
        var body: JSONObject = [
            "base": .string(base.description), "diff": .string(diff),
            "drafted_by": .string(signature == nil ? "person" : "review"),
            "handbook": .string(handbook), "result": .string(result.description),
        ]
        if !evidence.isEmpty { body["evidence"] = .array(evidence.map { .number(Double($0)) }) }
        body["signature"] = signature.map { .string($0.text) }
        return body
    }

    /// Reads a body; nil if it has not the form.
    package init?(_ body: JSON) {
        guard let handbook = body["handbook"]?.string, handbook.utf8.count <= HandbookChange.handbookByteCountMax,
            let base = body["base"]?.string.flatMap({ Digest($0) }), let result = body["result"]?.string.flatMap({ Digest($0) }),
            let diff = body["diff"]?.string
        else { return nil }
        self.handbook = handbook
        self.base = base
        self.result = result
        self.diff = diff
        evidence = (body["evidence"]?.array ?? []).compactMap { $0.integer.flatMap { UInt64(exactly: $0) } }
        signature = body["signature"]?.string.flatMap { Signature($0) }
    }

    package func parsed() throws(HandbookFault) -> UnifiedDiff {
        do throws(UnifiedDiffFault) { return try UnifiedDiff(parsing: Array(diff.utf8), of: handbook) } catch {
            throw .diff(error)
        }
    }
}
