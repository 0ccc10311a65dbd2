import Ledger
import LedgerFormat

/// What `--since` takes.
enum SinceTime {
    static func parsed(_ text: String) throws(LedgerError) -> Timestamp {
        if let time = Timestamp(text) { return time }
        if let age = Age(text) { return Timestamp(microseconds: Environment.system.now().microseconds - age.microseconds) }
        // A date or a time without fractions is completed.
        let template = "0000-01-01T00:00:00.000000Z"
        let stem = text.hasSuffix("Z") ? String(text.dropLast()) : text
        if [10, 16, 19].contains(stem.utf8.count), let time = Timestamp(stem + template.dropFirst(stem.utf8.count)) {
            return time
        }
        throw LedgerError(.usage, "--since takes 90s, 15m, 2h, 7d, or a time such as 2026-01-31 or 2026-01-31T12:00:00Z")
    }
}
