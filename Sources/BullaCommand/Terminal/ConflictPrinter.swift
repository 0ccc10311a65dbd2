import CanonicalJSON
import Ledger
import LedgerFormat

/// Prints the receipt of what was compared with others, and what came of that.
struct ConflictPrinter {
    private let isJSON: Bool

    init(_ isJSON: Bool) { self.isJSON = isJSON }

    /// - Throws: `conflict` if anything was lost: who loses must not take it for success.
    func print(
        _ members: JSONObject, _ receipt: Receipt, lost: [Collision], overrode: [Collision]
    ) throws(LedgerError) {
        if isJSON {
            var object = members
            if !lost.isEmpty { object["lost"] = .array(lost.map(\.json)) }
            if !overrode.isEmpty { object["overrode"] = .array(overrode.map(\.json)) }
            Output.line(Printable.json(.object(object)))
        } else {
            Output.line(receipt.line)
        }
        for win in overrode.prefix(Self.countMax) { Output.error("bulla: \(Printable.text(win.winText))") }
        if overrode.count > Self.countMax {
            Output.error("bulla: and \(overrode.count - Self.countMax) more places; entry \(receipt.seq) tells which")
        }
        if !lost.isEmpty { throw LedgerError(lost: lost, in: receipt.seq) }
    }

    private static let countMax = 10
}
