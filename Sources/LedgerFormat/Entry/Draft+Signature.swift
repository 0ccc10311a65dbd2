import CanonicalJSON

extension Span<UInt8> {
    /// Whether a frame's context has `sign`; whose it is, nothing says yet.
    package func isSigned(_ frame: FrameView) -> Bool {
        frame.context.count > 2 && (try? JSON(parsing: extracting(frame.context)))?["sign"] != nil
    }
}

// An actor's signature over a draft
extension Draft {
    /// The same with an id and a base, if it has none, and the actor's signature over it for one ledger; what is signed anew has a new base.
    ///
    /// - Parameters:
    ///   - base: the seq that the actor had seen; `ActorRoster.baseDistanceMax` behind it the draft is refused.
    ///   - id: where the draft has none.
    package func signed(by signer: ActorSigner, in ledger: LedgerID, base: UInt64, id: @autoclosure () -> String) -> Draft {
        var context = contextObject
        if context["id"] == nil { context["id"] = .string(id()) }
        if context["base"] == nil || context["sign"] != nil { context["base"] = .number(Double(base)) }
        context["sign"] = nil
        let unsigned = with(context: context)
        context["sign"] = .string(signer.sign(unsigned.signedText(in: ledger)).text)
        return with(context: context)
    }

    /// The seq that its writer had seen.
    package var base: UInt64? { contextObject["base"]?.seq }

    /// What the actor signs.
    func signedText(in ledger: LedgerID) -> [UInt8] {
        let parts = SignedText.Parts(
            action: members.action, actor: members.actor, body: members.body, pillar: members.pillar,
            reason: members.reason.lowerBound + 1..<members.reason.upperBound - 1)
        return SignedText.bytes(of: parts, in: text.span, context: contextObject, ledger)
    }
}
