import CanonicalJSON
import Ledger

/// What a holder says of itself and nobody here looks at: names of runs and people, marks, children.
///
/// Every lease is in the state of all lanes, and its eviction names it, so that none may be large.
package enum LaneText {
    /// Of a name: holder, `loop_ts`, `host_id`, `run_id`, `mode`, `env_digest`.
    package static let byteCountMax = 1024
    /// Of all notes of a lease, as they are recorded.
    package static let notesByteCountMax = 16_384

    /// As sentences name it: a long one ends in `…`.
    package static func brief(_ text: String, upTo byteCount: Int = 100) -> String {
        // A character has four bytes at most.
        text.utf8.count <= byteCount ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(byteCount / 4))) + "…"
    }

    /// - Throws: `usage` with the member's name.
    static func check(_ text: String?, _ name: String) throws(LedgerError) {
        guard let count = text?.utf8.count, count > byteCountMax else { return }
        throw LedgerError(.usage, "the \(name) has \(count) bytes, and \(byteCountMax) at most are kept with a lease; shorten it")
    }

    static func check(notes: JSONObject) throws(LedgerError) {
        for name in Lease.noteNames { try check(notes[name]?.string, name) }
        let count = JSON.object(notes).canonicalText.utf8.count
        guard count > notesByteCountMax else { return }
        throw LedgerError(
            .usage,
            "its run id, mode, digest and children have \(count) bytes, and \(notesByteCountMax) at most are kept with a lease; name fewer"
        )
    }
}

extension LaneRequest {
    /// - Throws: `usage` for what is too large to be kept with a lease.
    func checkSizes() throws(LedgerError) {
        try LaneText.check(holder, "holder")
        try LaneText.check(loopTS, "loop_ts")
        try LaneText.check(host, "host_id")
        try LaneText.check(notes: notes)
    }
}
