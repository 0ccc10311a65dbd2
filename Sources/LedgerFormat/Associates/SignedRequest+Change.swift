package import CanonicalJSON

extension SignedRequest {
    /// What a request asks for, as its arguments say.
    enum Change: Equatable {
        case addition(ActorKey, threshold: Int)
        case removal(ActorKey, threshold: Int)
        /// The alert that was raised behind an entry; all keys are signed anew, and the articles that were adopted. Earlier builds named
        /// none.
        case release(tip: Digest, keys: [ActorKey], threshold: Int, articles: Digest?)
        /// What a text lays down, and how many must sign from then on.
        case adoption(Articles, threshold: Int)
        /// Of the associates it changes nothing.
        case handbook(HandbookChange)
        case lane(LaneForce)
    }

    package static func addition(of key: ActorKey, threshold: Int, reason: String) -> JSONObject {
        ["key": .string(key.description), "reason": .string(reason), "threshold": .number(Double(threshold))]
    }

    package static func removal(of key: ActorKey, threshold: Int, reason: String) -> JSONObject {
        addition(of: key, threshold: threshold, reason: reason)
    }

    package static func release(of associates: Associates, behind tip: Digest, reason: String) -> JSONObject {
        var arguments: JSONObject = [
            "keys": .keys(associates.signers), "reason": .string(reason), "threshold": .number(Double(associates.threshold)),
            "tip": .string(tip.description),
        ]
        if let constitution = associates.constitution {
            arguments["constitution"] = .string(constitution.articles.digest.description)
        }
        return arguments
    }

    /// - Parameter text: what the articles were read from; whoever signs looks whether they say the same.
    package static func adoption(of articles: Articles, text: String, threshold: Int, reason: String) -> JSONObject {
        [
            "articles": articles.json, "reason": .string(reason), "text": .string(text), "threshold": .number(Double(threshold)),
        ]
    }

    /// What it lets hold; nil if it adopts nothing.
    package var articles: Articles? { verb == .adopt ? arguments["articles"].flatMap(Articles.init(_:)) : nil }

    /// - Throws: what is wrong with the arguments.
    func change() throws(AssociateObjection) -> Change {
        guard let reason = arguments["reason"]?.string, reason.utf8.count <= Self.reasonByteCountMax else { throw .form }
        let threshold = arguments["threshold"]?.integer.map { Int(clamping: $0) }
        switch verb {
        case .add, .remove:
            guard arguments.count == 3, let threshold, let text = arguments["key"]?.string else { throw .form }
            let key: ActorKey
            do throws(ActorKeyFault) { key = try ActorKey(text) } catch { throw .key(text, error) }
            return verb == .add ? .addition(key, threshold: threshold) : .removal(key, threshold: threshold)
        case .release:
            let articles = arguments["constitution"]?.string.flatMap { Digest($0) }
            guard arguments.count == (arguments["constitution"] == nil ? 4 : 5),
                arguments["constitution"] == nil || articles != nil,
                let threshold, let tip = arguments["tip"]?.string.flatMap({ Digest($0) }), let keys = arguments["keys"]?.actorKeys
            else { throw .form }
            return .release(tip: tip, keys: keys, threshold: threshold, articles: articles)
        case .adopt:
            guard arguments.count == 4, let threshold, let text = arguments["text"]?.string,
                text.utf8.count <= Articles.byteCountMax,
                let articles = arguments["articles"].flatMap(Articles.init(_:))
            else { throw .form }
            return .adoption(articles, threshold: threshold)
        case .approvePatch, .revertPatch:
            guard let change = HandbookChange(arguments) else { throw .form }
            return .handbook(change)
        case .forceLane:
            guard let force = LaneForce(arguments) else { throw .form }
            return .lane(force)
        }
    }
}
