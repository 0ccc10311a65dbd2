import CanonicalJSON
import LedgerFormat

/// What a line becomes.
struct LineParser {
    /// Says what lines are that are no drafts themselves.
    struct Raw {
        var action: String
        var actor: String
        var justification: Justification
    }

    private let raw: Raw?
    private var reader = DraftReader()

    /// Without `raw` each line is a draft.
    init(raw: Raw? = nil) { self.raw = raw }

    /// Nil for a blank line between drafts.
    mutating func parse(_ line: Span<UInt8>) throws(DraftError) -> Draft? {
        if let raw { return try Self.draft(line, raw) }
        if Self.isBlank(line) { return nil }
        let draft = try reader.read(line)
        guard !draft.isReserved else { throw .reservedAction(draft.action) }
        return draft
    }

    private static func draft(_ line: Span<UInt8>, _ raw: Raw) throws(DraftError) -> Draft {
        let bytes = line.copy(0..<line.count)
        var body: JSONObject = ["line": .string(String(decoding: bytes, as: UTF8.self))]
        if !RawArguments.isText(bytes) { body["line_base64"] = .string(Base64.text(bytes)) }
        return try Draft(action: raw.action, actor: raw.actor, justification: raw.justification, body: .object(body))
    }

    private static func isBlank(_ line: Span<UInt8>) -> Bool {
        for index in line.indices where line[index] != 0x20 && line[index] != 0x09 && line[index] != 0x0D { return false }
        return true
    }
}
