import CanonicalJSON

/// Reads drafts from JSON text, one after the other.
///
/// A draft in canonical form is checked where it stands and copied; another is brought into that form first. What does not
/// fit then is read as a tree, which tells what is wrong with it.
package struct DraftReader: Sendable {
    private var canonicalizer = Canonicalizer()
    private var scanner = CanonicalScanner()

    package init() {}

    package mutating func read(_ bytes: Span<UInt8>) throws(DraftError) -> Draft {
        if let draft = readCanonical(bytes) { return draft }
        do throws(JSONError) {
            try canonicalizer.rewrite(bytes, maximumDepth: Limits.draftDepth)
        } catch {
            throw .json(error)
        }
        let canonical = canonicalizer.bytes
        if let draft = readCanonical(canonical.span) { return draft }
        return try Draft(treeOf: bytes)
    }

    /// Nil unless the bytes are the canonical form of a draft; every value is checked on the way.
    private mutating func readCanonical(_ bytes: Span<UInt8>) -> Draft? {
        scanner.position = 0
        guard let action = string(bytes, behind: "{\"action\":"), action.count <= Names.draftByteCount,
            Names.isAction(bytes, action), let actor = string(bytes, behind: ",\"actor\":"),
            actor.count <= Names.draftByteCount, Names.isActor(bytes, actor), let body = object(bytes, behind: ",\"body\":")
        else { return nil }
        let context = object(bytes, behind: ",\"context\":")
        let contextEnd = scanner.position
        guard take(",\"justification\":{\"pillar\":\"", bytes), let pillar = pillar(bytes),
            let reason = string(bytes, behind: ",\"reason\":"), take("}}", bytes), scanner.position == bytes.count
        else { return nil }
        return Self.draft(bytes, action, actor, body, context, contextEnd: contextEnd, pillar, reason)
    }

    private static func draft(
        _ bytes: Span<UInt8>, _ action: Range<Int>, _ actor: Range<Int>, _ body: Range<Int>, _ context: Range<Int>?,
        contextEnd: Int, _ pillar: Justification.Pillar, _ reason: Range<Int>
    ) -> Draft? {
        var members: JSONObject = [:]
        if let context, context.count > 2 {
            guard let object = try? JSON(parsing: bytes.extracting(context)).object, (try? Context.check(object)) != nil else {
                return nil
            }
            members = object
        }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count + emptyContext.count)
        text.append(copying: bytes.extracting(0..<contextEnd))
        if context == nil { text.append(copying: emptyContext.span) }
        let shift = text.count - contextEnd
        text.append(copying: bytes.extracting(contextEnd..<bytes.count - 1))
        let contextInText = context ?? text.count - (bytes.count - 1 - contextEnd) - 2..<contextEnd + shift
        return Draft(
            text: text,
            Draft.Members(
                action: action, actor: actor, body: body, context: contextInText, pillar: pillar,
                reason: reason.lowerBound - 1 + shift..<reason.upperBound + 1 + shift),
            members)
    }

    private static let emptyContext = Array(",\"context\":{}".utf8)

    private mutating func take(_ literal: StaticString, _ bytes: Span<UInt8>) -> Bool {
        guard bytes.holds(literal, at: scanner.position) else { return false }
        scanner.position += literal.utf8CodeUnitCount
        return true
    }

    /// The range between the quotation marks of a string behind `literal`.
    private mutating func string(_ bytes: Span<UInt8>, behind literal: StaticString) -> Range<Int>? {
        guard take(literal, bytes) else { return nil }
        let start = scanner.position
        do throws(JSONError) { try scanner.skipString(in: bytes) } catch { return nil }
        return start + 1..<scanner.position - 1
    }

    /// The draft encloses the object, so one container is open around it.
    ///
    /// Without one the position stays: a name without its value is a fault, and must not be passed over.
    private mutating func object(_ bytes: Span<UInt8>, behind literal: StaticString) -> Range<Int>? {
        let before = scanner.position
        let start = before + literal.utf8CodeUnitCount
        guard bytes.holds(literal, at: before), bytes.holds("{", at: start) else { return nil }
        scanner.position = start
        do throws(JSONError) {
            try scanner.skipValue(in: bytes, openContainers: 1, maximumDepth: Limits.draftDepth)
        } catch {
            scanner.position = before
            return nil
        }
        return start..<scanner.position
    }

    private mutating func pillar(_ bytes: Span<UInt8>) -> Justification.Pillar? {
        guard let (pillar, end) = bytes.pillar(at: scanner.position) else { return nil }
        scanner.position = end
        return pillar
    }
}
