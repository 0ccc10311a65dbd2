import CanonicalJSON
import Ledger
import LedgerFormat

extension Effect {
    /// What asks for it, in the same decision.
    func request(as actor: String) throws(LedgerError) -> Draft {
        try Self.draft(
            Self.requested, actor, "a decision asks for it", ["arguments": .object(arguments), "effect": .string(name)])
    }

    /// What came of it.
    func conclusion(_ result: Result, of request: Receipt, as actor: String) throws(LedgerError) -> Draft {
        var body: JSONObject = ["effect": .string(name), "request": .number(Double(request.seq))]
        switch result {
        case .done(let answer): body["result"] = .object(answer)
        case .failed(let why): body["failed"] = .string(why)
        }
        return try Self.draft(
            Self.finished, actor, "it ran once the decision was durable", body, ["causes": [.number(Double(request.seq))]])
    }

    private static func draft(
        _ action: String, _ actor: String, _ reason: String, _ body: JSONObject, _ context: JSONObject = [:]
    ) throws(LedgerError) -> Draft {
        do throws(DraftError) {
            return try Draft(
                action: action, actor: actor, justification: Justification(.sovereignty, reason), body: .object(body),
                context: context)
        } catch {
            throw LedgerError(.usage, error.description)
        }
    }
}
