package import CanonicalJSON

extension Draft {
    /// Reads `{"actor","action","justification","body"}` and, if there, `"context"`; any other key is refused.
    package init(parsing bytes: Span<UInt8>) throws(DraftError) {
        var reader = DraftReader()
        self = try reader.read(bytes)
    }

    /// The same by way of a tree: slower, and able to say what is wrong.
    package init(treeOf bytes: Span<UInt8>) throws(DraftError) {
        let json: JSON
        do throws(JSONError) { json = try JSON(parsing: bytes, maximumDepth: Limits.draftDepth) } catch { throw .json(error) }
        guard let object = json.object else { throw .isNoObject }
        for key in object.keys where !["action", "actor", "body", "context", "justification"].contains(key) {
            throw .unknownKey(key)
        }
        guard let action = object["action"] else { throw .missingKey("action") }
        guard let actor = object["actor"] else { throw .missingKey("actor") }
        guard let body = object["body"] else { throw .missingKey("body") }
        guard let justification = object["justification"] else { throw .missingKey("justification") }
        guard let actionText = action.string else { throw .action(action.canonicalText) }
        guard let actorText = actor.string else { throw .actor(actor.canonicalText) }
        var members = JSONObject()
        if let context = object["context"] {
            guard let given = context.object else { throw .context("it is no object") }
            members = given
        }
        try self.init(
            action: actionText, actor: actorText, justification: Justification(justification), body: body, context: members)
    }
}

extension Justification {
    package init(_ json: JSON) throws(DraftError) {
        guard let object = json.object, object.count == 2, let pillar = object["pillar"]?.string,
            let reason = object["reason"]?.string
        else { throw .reason }
        guard let known = Pillar(rawValue: pillar) else { throw .pillar(pillar) }
        self.init(known, reason)
    }
}
