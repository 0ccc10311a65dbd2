package import CanonicalJSON

extension SignedRequest {
    /// What a request asks for, as its arguments say.
    enum Change: Equatable {
        case addition(ActorKey, threshold: Int)
        case removal(ActorKey, threshold: Int)
        /// The alert that was raised behind an entry; all keys are signed anew.
        case release(tip: Digest, keys: [ActorKey], threshold: Int)
    }

    package static func addition(of key: ActorKey, threshold: Int, reason: String) -> JSONObject {
        ["key": .string(key.description), "reason": .string(reason), "threshold": .number(Double(threshold))]
    }

    package static func removal(of key: ActorKey, threshold: Int, reason: String) -> JSONObject {
        addition(of: key, threshold: threshold, reason: reason)
    }

    package static func release(of associates: Associates, behind tip: Digest, reason: String) -> JSONObject {
        [
            "keys": .keys(associates.signers), "reason": .string(reason), "threshold": .number(Double(associates.threshold)),
            "tip": .string(tip.description),
        ]
    }

    /// - Throws: what is wrong with the arguments.
    func change() throws(AssociateObjection) -> Change {
        guard let reason = arguments["reason"]?.string, reason.utf8.count <= Self.reasonByteCountMax,
            let threshold = arguments["threshold"]?.integer.map({ Int(clamping: $0) })
        else { throw .form }
        switch verb {
        case .add, .remove:
            guard arguments.count == 3, let text = arguments["key"]?.string else { throw .form }
            let key: ActorKey
            do throws(ActorKeyFault) { key = try ActorKey(text) } catch { throw .key(text, error) }
            return verb == .add ? .addition(key, threshold: threshold) : .removal(key, threshold: threshold)
        case .release:
            guard arguments.count == 4, let tip = arguments["tip"]?.string.flatMap({ Digest($0) }),
                let keys = arguments["keys"]?.actorKeys
            else { throw .form }
            return .release(tip: tip, keys: keys, threshold: threshold)
        }
    }
}
