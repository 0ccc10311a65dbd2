import CanonicalJSON
import LedgerFormat

// The entries of a long-lived process about itself.
extension Drafts {
    static func online(_ state: WriterSession.State, process: Int32, audit: JSONObject) -> Draft {
        draft(
            "run.online", .integrity, "a long-lived process came up",
            [
                "seq": .number(Double(state.tip.seq)), "tip": .string(state.tip.hash.description),
                "segment": .string(SegmentName.file(firstSeq: state.segment)), "offset": .number(Double(state.end)),
                "pid": .number(Double(process)), "software": .string(software), "audit": .object(audit),
            ])
    }

    static func pulse(_ body: JSONObject) -> Draft { draft("run.pulse", .integrity, "the process lives", body) }

    /// What it told its keeper that is no error.
    static func notice(_ text: String) -> Draft {
        draft("run.notice", .integrity, "the process tells its keeper", ["text": .string(text)])
    }

    static func offline(reason: String, signal: String?) -> Draft {
        let body: JSONObject = ["reason": .string(reason), "signal": signal.map { .string($0) } ?? .null]
        return draft("run.offline", .integrity, "the process ends", body)
    }
}
