package import CanonicalJSON

/// What an append answers. Kept elsewhere, it later proves a rollback, a truncation or a fork (FORMAT.md §7).
package struct Receipt: Sendable, Hashable {
    package var ledger: LedgerID
    package var seq: UInt64
    package var hash: Digest
    package var time: Timestamp

    package init(ledger: LedgerID, seq: UInt64, hash: Digest, time: Timestamp) {
        self.ledger = ledger
        self.seq = seq
        self.hash = hash
        self.time = time
    }

    package init(_ tip: ChainTip) { self.init(ledger: tip.ledger, seq: tip.seq, hash: tip.hash, time: tip.time) }

    private static let label = "bulla-receipt-v1"

    /// One line without spaces, fit for a commit message, a mail or syslog.
    package var line: String { "\(Self.label)/\(ledger)/\(seq)/\(hash)/\(time)" }

    package var json: JSON {
        [
            "hash": .string(hash.description), "ledger": .string(ledger.description), "seq": .number(Double(seq)),
            "time": .string(time.description), "v": 1,
        ]
    }

    /// Reads the one-line form.
    package init?(line: some StringProtocol) {
        let parts = line.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == Self.label, let seq = UInt64(parts[2]), String(seq) == parts[2] else { return nil }
        self.init(ledger: String(parts[1]), seq: seq, hash: String(parts[3]), time: String(parts[4]))
    }

    /// Reads the JSON form.
    package init?(json: JSON) {
        guard let object = json.object, object["v"]?.integer == 1, let ledger = object["ledger"]?.string,
            let hash = object["hash"]?.string, let time = object["time"]?.string
        else { return nil }
        self.init(ledger: ledger, seq: object["seq"]?.integer.flatMap { UInt64(exactly: $0) }, hash: hash, time: time)
    }

    private init?(ledger: String, seq: UInt64?, hash: String, time: String) {
        guard let ledger = LedgerID(ledger), let seq, (1...Limits.seq).contains(seq), let hash = Digest(hash),
            let time = Timestamp(time)
        else { return nil }
        self.init(ledger: ledger, seq: seq, hash: hash, time: time)
    }

    /// How often a text speaks of a receipt in the one-line form, readable or not.
    package static func mentions(in text: String) -> Int {
        text.split(whereSeparator: \.isNewline).reduce(0) { $0 + $1.components(of: label) }
    }

    /// All receipts in a text, which may be a mail or a commit message around them; JSON forms stand on lines of their own.
    package static func all(in text: String) -> [Receipt] {
        var found: [Receipt] = []
        for line in text.split(whereSeparator: \.isNewline) {
            if line.contains("{"), let json = try? JSON(parsing: Array(line.utf8)), let receipt = Receipt(json: json) {
                found.append(receipt)
                continue
            }
            for word in line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "<" || $0 == ">" || $0 == "," }) {
                if let receipt = Receipt(line: word) { found.append(receipt) }
            }
        }
        return found
    }
}

extension Substring {
    /// How often `word` stands in it.
    fileprivate func components(of word: String) -> Int {
        var rest = self
        var count = 0
        while !rest.isEmpty {
            if rest.hasPrefix(word) { count += 1 }
            rest = rest.dropFirst()
        }
        return count
    }
}
