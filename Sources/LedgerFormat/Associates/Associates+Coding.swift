package import CanonicalJSON

// As entries state it (FORMAT.md §4.8).
extension Associates {
    package var json: JSON {
        [
            "act": act.json, "constitution": constitution?.json ?? .null, "keys": .keys(keys),
            "suspended": .bool(isSuspended), "threshold": .number(Double(threshold)), "withdrawn": .keys(withdrawn),
        ]
    }

    /// Reads what an entry states; nil if it has not the form, or contradicts itself.
    init?(_ json: JSON) {
        guard json.object?.members.count == 6, let act = json["act"].flatMap(Act.init(_:)), let keys = json["keys"]?.actorKeys,
            let threshold = json["threshold"]?.integer, let isSuspended = json["suspended"]?.bool,
            let withdrawn = json["withdrawn"]?.actorKeys, let constitution = json["constitution"],
            let named = try? Self(keys, threshold: Int(threshold), act: act)
        else { return nil }
        self = named
        if !constitution.isNull {
            guard let adopted = Constitution(constitution) else { return nil }
            self.constitution = adopted
        }
        self.isSuspended = isSuspended
        guard allows(withdrawn: withdrawn) else { return nil }
        self.withdrawn = withdrawn
    }

    /// Whether so many are left when these are withdrawn that somebody can sign.
    func allows(withdrawn: [ActorKey]) -> Bool {
        withdrawn.isEmpty
            || isSuspended && Set(withdrawn).count == withdrawn.count && withdrawn.allSatisfy(keys.contains)
                && keys.count - withdrawn.count >= threshold
    }
}

// The first entry
extension Associates {
    /// What the first entry's body says of those with whom the ledger begins.
    package var founding: JSON { ["keys": .keys(keys), "threshold": .number(Double(threshold))] }

    /// Reads a first entry's body; nil if it names nobody.
    ///
    /// - Throws: if it names somebody who cannot be one.
    init?(founding body: JSONObject, act: Act) throws(AssociateObjection) {
        guard let member = body["associates"] else { return nil }
        guard member.object?.members.count == 2, let texts = member["keys"]?.array, let threshold = member["threshold"]?.integer
        else { throw .form }
        var keys: [ActorKey] = []
        for text in texts {
            guard let text = text.string else { throw .form }
            do throws(ActorKeyFault) { keys.append(try ActorKey(text)) } catch { throw .key(text, error) }
        }
        try self.init(keys, threshold: Int(clamping: threshold), act: act)
    }
}

extension JSON {
    static func keys(_ keys: [ActorKey]) -> JSON { .array(keys.map { .string($0.description) }) }

    /// Keys that were checked when they were named.
    var actorKeys: [ActorKey]? {
        guard let items = array, items.count <= Associates.countMax else { return nil }
        let keys = items.compactMap { $0.string.flatMap { ActorKey(sealed: $0) } }
        return keys.count == items.count ? keys : nil
    }
}
