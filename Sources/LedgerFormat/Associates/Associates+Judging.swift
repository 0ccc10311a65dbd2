import CanonicalJSON
import PlantedDefects

extension Associates {
    /// What is wrong with a request that is to be carried out; nil if nothing is.
    ///
    /// - Parameters:
    ///   - time: the greater of the wall clock and the last entry's time; nil where that is not known any more.
    ///   - tip: the hash of the entry before; nil likewise.
    package func objection(
        to request: SignedRequest, in ledger: LedgerID, at time: Timestamp?, behind tip: Digest?
    ) -> AssociateObjection? {
        guard request.ledger == ledger || planted(.requestOfAnotherLedger) else { return .ledger(request.ledger) }
        if isSuspended, request.verb != .release { return .suspended(by: act.seq) }
        guard request.base == act.hash || planted(.requestReplayed) else { return .base(last: act.seq) }
        // What a repair has of an act whose entry is lost, and which none follows: no entry has this hash.
        guard request.base != .zero || planted(.requestBehindNothing) else { return .base(last: act.seq) }
        if let time, time > request.expires, !planted(.requestExpiryUnchecked) { return .expired(request.expires) }
        if let objection = objectionToSignatures(of: request) { return objection }
        do throws(AssociateObjection) {
            _ = try applying(request, behind: tip)
            return nil
        } catch {
            return error
        }
    }

    private func objectionToSignatures(of request: SignedRequest) -> AssociateObjection? {
        let text = request.signedText
        var signers: Set<ActorKey> = []
        for signature in request.signatures {
            let key = signature.key
            guard keys.contains(key) || planted(.strangerSigns) else { return .stranger(key) }
            guard !withdrawn.contains(key) || planted(.withdrawnSigns) else { return .withdrawn(key) }
            guard signers.insert(key).inserted || planted(.signatureCountedTwice) else { return .signedTwice(key) }
            guard key.accepts(signature.signature, of: text) || planted(.requestSignatureUnchecked) else {
                return .signature(key)
            }
        }
        let count = planted(.signatureCountedTwice) ? request.signatures.count : signers.count
        guard count >= threshold || planted(.thresholdUnchecked) else { return .tooFew(count, of: threshold) }
        return nil
    }

    /// What is wrong with what a request asks for, whoever signs it.
    package func objectionToChange(of request: SignedRequest) -> AssociateObjection? {
        if isSuspended, request.verb != .release { return .suspended(by: act.seq) }
        do throws(AssociateObjection) {
            _ = try applying(request, behind: nil)
            return nil
        } catch {
            return error
        }
    }

    /// What a writer asks of a release besides: behind a repair, which may have taken a constitution over by signatures alone, it names
    /// the one that will hold. Earlier builds named none, so that no verifier asks for it.
    package func objectionToOmission(in request: SignedRequest) -> AssociateObjection? {
        let isNamed = constitution == nil || request.arguments["constitution"] != nil || planted(.releaseConstitutionUnnamed)
        return request.verb == .release && isSuspended && !isNamed ? .unnamedConstitution : nil
    }

    /// The associates behind a request whose signatures were checked, but for the act, which is the entry that carries it out.
    func applying(_ request: SignedRequest, behind tip: Digest?) throws(AssociateObjection) -> Associates {
        var changed = self
        switch try request.change() {
        case .addition(let key, let threshold):
            try checkConstitution(threshold)
            guard !keys.contains(key) else { throw .named(key) }
            let all = try Associates(keys + [key], threshold: threshold, act: act)
            (changed.keys, changed.threshold) = (all.keys, all.threshold)
            if planted(.additionForgetsConstitution) { changed.constitution = nil }
        case .removal(let key, let threshold):
            try checkConstitution(threshold)
            guard keys.contains(key) else { throw .unnamed(key) }
            guard threshold < keys.count || planted(.removalBelowThreshold) else {
                throw .belowThreshold(left: keys.count - 1, threshold)
            }
            changed.keys.removeAll { $0 == key }
            changed.threshold = threshold
            guard threshold >= 1 else { throw .threshold(threshold, of: keys.count - 1) }
        case .release(let named, let keys, let threshold, let articles):
            guard tip == nil || tip == named || planted(.otherAlertReleased) else { throw .tip }
            let isWhole = keys == signers && threshold == self.threshold
            guard isWhole || planted(.releaseRosterUnchecked) else { throw .roster }
            guard articles == nil || articles == constitution?.articles.digest || planted(.releaseConstitutionUnchecked) else {
                throw .otherConstitution
            }
            changed.keys = keys
            changed.withdrawn = []
            changed.isSuspended = false
        case .adoption(let articles, let threshold):
            guard (1...max(1, keys.count)).contains(threshold) || planted(.adoptionBeyondSigners) else {
                throw .threshold(threshold, of: keys.count)
            }
            changed.threshold = threshold
            changed.constitution = Constitution(articles: articles, act: act)
        case .handbook, .lane: break
        }
        return changed
    }

    /// Who adds or removes a key leaves alone how many must sign, where a constitution says it.
    private func checkConstitution(_ threshold: Int) throws(AssociateObjection) {
        guard constitution == nil || threshold == self.threshold || planted(.constitutionOverridden) else {
            throw .constitution(threshold, self.threshold)
        }
    }

    /// Those behind the entry that carries a request out.
    func after(_ request: SignedRequest, _ act: Act) -> Associates? {
        guard var changed = try? applying(request, behind: nil) else { return nil }
        changed.act = act
        if request.verb == .adopt { changed.constitution?.act = act }
        return changed
    }
}

extension SignedRequest {
    /// What is wrong with it for one verb.
    package func objection(as wanted: Verb) -> AssociateObjection? {
        verb == wanted || planted(.requestOfAnotherVerb) ? nil : .verb(verb, wanted: wanted)
    }
}
