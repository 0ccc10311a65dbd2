package import CanonicalJSON

/// What somebody wants recorded, before it is sealed: well-formed, but not yet part of any ledger.
package struct Draft: Sendable, Equatable {
    package let action: String
    package let actor: String
    /// A canonical JSON object.
    package let body: [UInt8]
    /// A canonical JSON object with the members of FORMAT.md §4.
    package let context: [UInt8]
    package let justification: Justification
    /// The idempotency key in `context`, unique per actor.
    package let id: String?

    /// Checks the names, the members of the context and the depth.
    package init(
        action: String, actor: String, justification: Justification, body: JSON, context: JSONObject = [:]
    ) throws(DraftError) {
        guard Names.isAction(action), action.utf8.count <= Names.draftByteCount else { throw .action(action) }
        guard Names.isActor(actor), actor.utf8.count <= Names.draftByteCount else { throw .actor(actor) }
        guard body.object != nil else { throw .bodyIsNoObject }
        // The draft as a document is one container around its body.
        guard body.depth < Limits.draftDepth else { throw .tooDeep }
        try Context.check(context)
        self.action = action
        self.actor = actor
        self.justification = justification
        self.body = body.canonicalBytes()
        self.context = JSON.object(context).canonicalBytes()
        id = context["id"]?.string
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
