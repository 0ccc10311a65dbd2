import CanonicalJSON
import LedgerFormat

/// What a line becomes.
struct LineParser {
    /// What the entries of lines have in common that are no drafts themselves.
    struct Labels {
        var action: String
        var actor: String
        var justification: Justification
    }

    /// Lines of a log, which become bodies.
    struct Log {
        var format: LogFormat
        var labels: Labels
        /// Nil to keep secrets.
        var redactor: Redactor?
        /// Whether a line that is not what its format asks for is kept whole, with the reason, rather than refused.
        var keepsRefused = false
    }

    private let log: Log?
    private var reader = DraftReader()

    /// Without `log` each line is a draft.
    init(log: Log? = nil) { self.log = log }

    /// The drafts that a line becomes: none for a blank one, and several for one that no entry holds.
    ///
    /// - Parameter id: what a piece of the line, which stands at `range` in `buffer`, is known by.
    mutating func parse(
        _ range: Range<Int>, of buffer: [UInt8], id: (Range<Int>) -> String?
    ) throws(LineRefusal) -> [Draft] {
        guard let log else {
            do throws(DraftError) {
                return try draft(buffer.span.extracting(range)).map { [$0] } ?? []
            } catch {
                throw LineRefusal(error, in: Array(buffer[range]))
            }
        }
        if log.format != .raw, Self.isBlank(buffer.span.extracting(range)) { return [] }
        let draft = try log.draft(try log.body(of: Array(buffer[range])), id: id(range))
        // The rest of an entry, with names and times, is small.
        if draft.byteCount <= Limits.draftPayload - 4096 { return [draft] }
        var drafts: [Draft] = []
        var start = range.lowerBound
        while start < range.upperBound {
            let isLast = range.upperBound - start <= LinePart.byteCountMax
            let end = isLast ? range.upperBound : LinePart.end(in: buffer, from: start)
            let part = LinePart(number: drafts.count + 1, isLast: isLast)
            drafts.append(try parse(start..<end, part, of: buffer, id: id(start..<end)))
            start = end
        }
        return drafts
    }

    /// The draft of one part of a line.
    func parse(_ range: Range<Int>, _ part: LinePart, of buffer: [UInt8], id: String?) throws(LineRefusal) -> Draft {
        guard let log else { preconditionFailure("drafts come whole") }
        var body = log.redacted(log.format.wholeBody(of: Array(buffer[range])))
        body["part"] = .number(Double(part.number))
        if part.isLast { body["parts"] = .number(Double(part.number)) }
        return try log.draft(body, id: id)
    }

    /// Nil for a blank line between drafts.
    private mutating func draft(_ line: Span<UInt8>) throws(DraftError) -> Draft? {
        if Self.isBlank(line) { return nil }
        let draft = try reader.read(line)
        guard !draft.isReserved else { throw .reservedAction(draft.action) }
        guard !draft.borrowsHouseName else { throw .houseName }
        return draft
    }

    private static func isBlank(_ line: Span<UInt8>) -> Bool {
        for index in line.indices where line[index] != 0x20 && line[index] != 0x09 && line[index] != 0x0D { return false }
        return true
    }
}

extension LineParser.Log {
    fileprivate func body(of line: [UInt8]) throws(LineRefusal) -> JSONObject {
        do throws(LineError) {
            return redacted(try format.body(of: line))
        } catch {
            let refusal = LineRefusal(error, in: line)
            guard keepsRefused else { throw refusal }
            var body = redacted(format.wholeBody(of: line))
            body["error"] = .string("column \(error.column(in: line)): \(error)")
            return body
        }
    }

    fileprivate func redacted(_ body: JSONObject) -> JSONObject {
        guard let redactor else { return body }
        var redacted = redactor.redact(body)
        // The bytes of a redacted text would give the secret away.
        let isOurs = format == .raw || format == .syslog || body["format"] == "raw"
        if isOurs, redacted[format.textMember] != body[format.textMember] { redacted[format.textMember + "_base64"] = nil }
        return redacted
    }

    fileprivate func draft(_ body: JSONObject, id: String?) throws(LineRefusal) -> Draft {
        do throws(DraftError) {
            return try Draft(
                action: labels.action, actor: labels.actor, justification: labels.justification, body: .object(body),
                context: id.map { ["id": .string($0)] } ?? [:])
        } catch {
            throw LineRefusal(error, in: [])
        }
    }
}

/// Why a line is not recorded.
struct LineRefusal: Error {
    var reason: String
    /// From 1, in code points; nil when it is about the line as a whole.
    var column: Int?
    /// A rule says no, and not the line's form.
    var isRule = false

    init(_ error: DraftError, in line: [UInt8]) {
        reason = error.description
        if case .json(let json) = error { column = json.location(in: line).column }
        isRule = error.isRule
    }

    init(_ error: LineError, in line: [UInt8]) {
        reason = error.reason
        column = error.column(in: line)
    }
}
