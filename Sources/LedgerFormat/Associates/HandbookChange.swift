package import CanonicalJSON

/// What associates sign of a handbook: which patch, and the texts before and behind it by their digests.
package struct HandbookChange: Sendable, Equatable {
    /// The seq of the patch's proposal.
    package let proposal: UInt64
    package let handbook: String
    /// Of the handbook's text as it must be, and as it will be.
    package let base, result: Digest
    /// Of the diff that was proposed.
    package let diff: Digest

    package init(proposal: UInt64, handbook: String, base: Digest, result: Digest, diff: Digest) {
        self.proposal = proposal
        self.handbook = handbook
        self.base = base
        self.result = result
        self.diff = diff
    }

    package static let handbookByteCountMax = 512

    /// A request's arguments.
    package func arguments(reason: String) -> JSONObject {
        [
            "base": .string(base.description), "diff": .string(diff.description), "handbook": .string(handbook),
            "proposal": .number(Double(proposal)), "reason": .string(reason), "result": .string(result.description),
        ]
    }

    /// Reads arguments, beside a reason; nil if they have not the form.
    init?(_ arguments: JSONObject) {
        guard arguments.count == 6, let proposal = arguments["proposal"]?.seq, let handbook = arguments["handbook"]?.string,
            (1...Self.handbookByteCountMax).contains(handbook.utf8.count),
            let base = arguments["base"]?.string.flatMap({ Digest($0) }),
            let result = arguments["result"]?.string.flatMap({ Digest($0) }),
            let diff = arguments["diff"]?.string.flatMap({ Digest($0) })
        else { return nil }
        self.init(proposal: proposal, handbook: handbook, base: base, result: result, diff: diff)
    }
}

extension SignedRequest {
    /// What it asks for of a handbook; nil if it is about something else.
    package var handbookChange: HandbookChange? {
        if case .handbook(let change) = try? change() { change } else { nil }
    }
}
