package import CanonicalJSON

/// What somebody wants recorded, before it is sealed: well-formed, but not yet part of any ledger.
///
/// It is kept as the text that an entry begins with, because canonical order puts its five members first.
package struct Draft: Sendable, Equatable {
    /// `{"action":…,"actor":…,"body":…,"context":…,"justification":{…}`, canonical but for the brace that is still to come.
    let text: [UInt8]
    /// Where the members' values stand in the text; of names, what is between the quotation marks.
    let members: Members
    /// The idempotency key in `context`, unique per actor.
    package let id: String?
    /// Whether its context has `sign`.
    package let isSigned: Bool
    /// Whether its context has `reads` or `writes`.
    package let namesPlaces: Bool

    struct Members: Sendable, Equatable {
        var action: Range<Int>
        var actor: Range<Int>
        var body: Range<Int>
        var context: Range<Int>
        var pillar: Justification.Pillar
        /// With its quotation marks.
        var reason: Range<Int>
    }

    /// - Parameter context: what the text holds as such.
    init(text: [UInt8], _ members: Members, _ context: JSONObject) {
        self.text = text
        self.members = members
        id = context["id"]?.string
        isSigned = context["sign"] != nil
        namesPlaces = Context.namesPlaces(context)
    }

    /// Checks the names, the members of the context and the depth.
    package init(
        action: String, actor: String, justification: Justification, body: JSON, context: JSONObject = [:]
    ) throws(DraftError) {
        try Self.check(action, actor)
        guard body.object != nil else { throw .bodyIsNoObject }
        // The draft as a document is one container around its body.
        guard body.depth < Limits.draftDepth else { throw .tooDeep }
        try self.init(action, actor, justification, canonicalBody: body.canonicalBytes(), context)
    }

    /// The same with the body as JSON text, in any form.
    package init(
        action: String, actor: String, justification: Justification, bodyText: Span<UInt8>, context: JSONObject = [:]
    ) throws(DraftError) {
        try Self.check(action, actor)
        var body = Canonicalizer()
        do throws(JSONError) {
            try body.rewrite(bodyText, maximumDepth: Limits.draftDepth - 1)
        } catch {
            throw .json(error)
        }
        guard body.bytes.first == UInt8(ascii: "{") else { throw .bodyIsNoObject }
        try self.init(action, actor, justification, canonicalBody: body.bytes, context)
    }

    private static func check(_ action: String, _ actor: String) throws(DraftError) {
        guard Names.isAction(action), action.utf8.count <= Names.draftByteCount else { throw .action(action) }
        guard Names.isActor(actor), actor.utf8.count <= Names.draftByteCount else { throw .actor(actor) }
    }

    /// Takes a body that is canonical already.
    init(
        _ action: String, _ actor: String, _ justification: Justification, canonicalBody body: [UInt8], _ context: JSONObject
    ) throws(DraftError) {
        try Context.check(context)
        var writer = DraftWriter(reserving: body.count)
        let actionRange = writer.member("{\"action\":") { $0.append(quoting: action) }
        let actorRange = writer.member(",\"actor\":") { $0.append(quoting: actor) }
        let bodyRange = writer.member(",\"body\":") { $0 += body }
        let contextRange = writer.member(",\"context\":") { text in
            if context.isEmpty { text += "{}".utf8 } else { text += JSON.object(context).canonicalBytes() }
        }
        writer.write(",\"justification\":{\"pillar\":\"")
        writer.write(justification.pillar.rawValue)
        let reasonRange = writer.member("\",\"reason\":") { $0.append(quoting: justification.reason) }
        writer.write("}")
        self.init(
            text: writer.text,
            Members(
                action: actionRange.dropFirst().dropLast(), actor: actorRange.dropFirst().dropLast(), body: bodyRange,
                context: contextRange, pillar: justification.pillar, reason: reasonRange),
            context)
    }
}

extension Draft {
    package var action: String { text.span.text(members.action) }
    package var actor: String { text.span.text(members.actor) }
    package var pillar: Justification.Pillar { members.pillar }
    /// A canonical JSON object.
    package var body: [UInt8] { text.span.copy(members.body) }
    /// A canonical JSON object with the members of FORMAT.md §4.
    package var context: [UInt8] { text.span.copy(members.context) }

    package var justification: Justification {
        guard let reason = (try? JSON(parsing: text.span.extracting(members.reason)))?.string else {
            preconditionFailure("a draft's reason is a canonical string")
        }
        return Justification(members.pillar, reason)
    }
}

/// Puts a draft's text together from parts.
private struct DraftWriter {
    private(set) var text: [UInt8] = []

    init(reserving bodyByteCount: Int) { text.reserveCapacity(bodyByteCount + 256) }

    mutating func write(_ literal: String) { text += literal.utf8 }

    /// Writes a name and its value; answers where the value stands.
    mutating func member(_ name: String, _ value: (inout [UInt8]) -> Void) -> Range<Int> {
        write(name)
        let start = text.count
        value(&text)
        return start..<text.count
    }
}

/// Why a draft is no draft.
package enum DraftError: Error, Sendable, Equatable {
    case json(JSONError)
    case isNoObject
    case unknownKey(String)
    case missingKey(String)
    case action(String)
    case actor(String)
    case pillar(String)
    case reason
    case bodyIsNoObject
    case context(String)
    case tooDeep
    case tooLarge(byteCount: Int)
    case reservedAction(String)
    /// Somebody speaks in the house's name.
    case houseName

    /// A rule says no, where everything else is bad input.
    package var isRule: Bool {
        switch self {
        case .reservedAction, .houseName: true
        default: false
        }
    }
}

extension DraftError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .json(let error): error.description
        case .isNoObject: "a draft is a JSON object"
        case .unknownKey(let key): "the draft has a key \"\(key)\", which drafts do not have"
        case .missingKey(let key): "the draft has no \"\(key)\""
        case .action(let action):
            "\"\(action)\" is no action: lower-case words of a-z, 0-9 and _, joined by dots, \(Names.draftByteCount) bytes at most"
        case .actor(let actor):
            "\"\(actor)\" is no actor: write kind:name, such as user:ada or process:build, \(Names.draftByteCount) bytes at most"
        case .pillar(let pillar):
            "\"\(pillar)\" is no pillar: it is one of "
                + Justification.Pillar.allCases.map(\.rawValue).joined(separator: ", ")
        case .reason: "the justification needs \"pillar\" and \"reason\", both text, and nothing else"
        case .bodyIsNoObject: "the body is not a JSON object"
        case .context(let why): "the context is refused: \(why)"
        case .tooDeep: "the body nests too deep: a draft has at most \(Limits.draftDepth) levels"
        case .tooLarge(let byteCount):
            "the entry would have \(byteCount) bytes; at most \(Limits.draftPayload) are allowed"
        case .reservedAction(let action):
            "\"\(action)\" is reserved: the names under \"\(action.prefix { $0 != "." })\" are written by their own verbs only"
        case .houseName:
            "\(ActorRoster.house) is the name that Bulla itself speaks in, and nobody else does: use a name of your own"
        }
    }
}

extension JSON {
    /// Nested containers: 0 for a scalar, 1 for `{}`.
    package var depth: Int {
        switch self {
        case .object(let object): 1 + (object.members.map(\.value.depth).max() ?? 0)
        case .array(let items): 1 + (items.map(\.depth).max() ?? 0)
        default: 0
        }
    }
}
