import CanonicalJSON

/// The articles that associates have adopted, and where their text stands.
package struct Constitution: Sendable, Equatable {
    package let articles: Articles
    /// The entry that holds the request with the text: the adoption, or the repair that took it over.
    package internal(set) var act: Associates.Act
}

extension Constitution {
    var json: JSON {
        ["act": act.json, "articles": articles.json]
    }

    /// Reads what an entry states; nil if it has not the form.
    init?(_ json: JSON) {
        guard json.object?.members.count == 2, let act = json["act"].flatMap(Associates.Act.init(_:)),
            let articles = json["articles"].flatMap(Articles.init(_:))
        else { return nil }
        self.init(articles: articles, act: act)
    }
}

extension Associates.Act {
    var json: JSON { ["hash": .string(hash.description), "seq": .number(Double(seq))] }

    init?(_ json: JSON) {
        guard json.object?.members.count == 2, let seq = json["seq"]?.seq, let hash = json["hash"]?.string.flatMap({ Digest($0) })
        else { return nil }
        self.init(seq: seq, hash: hash)
    }
}

extension Associates {
    /// Those that were adopted, or the standard ones.
    package var articles: Articles { constitution?.articles ?? .standard }
}

extension ActorRoster {
    /// Those that hold in the ledger.
    package var articles: Articles { associates?.articles ?? .standard }
}

extension ActorRoster {
    /// Whom articles would lock out; nil for nobody.
    package func objection(to articles: Articles) -> AssociateObjection? {
        let isLocked = { (enrolment: Enrolment) in enrolment.revoked == 0 && !articles.allows(class: enrolment.actorClass) }
        return enrolments.first(where: isLocked).map { .classless(actor: $0.actor, $0.actorClass) }
    }
}
