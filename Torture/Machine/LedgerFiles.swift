import Foundation

/// A ledger's entries as its files show them, found without any code of the engine's.
struct LedgerFiles {
    struct Entry {
        var seq: Int
        var hash: String
        /// Actor and id of its context, if it has one.
        var id: String?
        var action: String
    }

    /// In the order of the files, up to where the first one ends that does not end with a frame.
    private(set) var entries: [Entry] = []
    private(set) var segmentCount = 0

    init(_ ledger: String) throws {
        guard let names = Self.names(ofSegmentsIn: ledger) else { throw CocoaError(.fileReadNoSuchFile) }
        segmentCount = names.count
        for name in names {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: ledger + "/ledger/" + name))
            // Canonical JSON has no line feed, and the preallocated rest has none either.
            for line in [UInt8](bytes).split(separator: 10, omittingEmptySubsequences: true) {
                guard line.first != 0, let entry = Self.entry(line) else { return }
                entries.append(entry)
            }
        }
    }

    /// In their order; nil if there is no directory of segments. An archive's are like a ledger's.
    static func names(ofSegmentsIn ledger: String) -> [String]? {
        let names = try? FileManager.default.contentsOfDirectory(atPath: ledger + "/ledger")
        return names?.filter { $0.hasSuffix(".frames") }.sorted()
    }

    /// FORMAT.md §4: the payload's last 148 bytes are the hash and the signature with their names.
    private static func entry(_ line: ArraySlice<UInt8>) -> Entry? {
        guard line.count > 300, line.last == UInt8(ascii: "}") else { return nil }
        let tail = line.endIndex - 148
        let hash = String(decoding: line[(tail + 9)..<(tail + 73)], as: UTF8.self)
        // Behind `seq` come only `synced`, `time` and `v`.
        let end = String(decoding: line[(tail - 110)..<tail], as: UTF8.self)
        let start = String(decoding: line.prefix(1200), as: UTF8.self)
        guard let number = end.range(of: #","seq":"#, options: .backwards),
            let seq = Int(end[number.upperBound...].prefix(while: \.isNumber)),
            let action = member(#""action":""#, in: start), let actor = member(#","actor":""#, in: start)
        else { return nil }
        let id = member(#","context":{"id":""#, in: start)
        return Entry(seq: seq, hash: hash, id: id.map { actor + " " + $0 }, action: action)
    }

    private static func member(_ name: String, in text: String) -> String? {
        text.range(of: name).map { String(text[$0.upperBound...].prefix { $0 != "\"" }) }
    }

    /// What is wrong with the order, the ids, or the receipts that callers were given.
    func complaints(receipts: [String]) -> [String] {
        var complaints: [String] = []
        var hashes: [Int: String] = [:]
        var ids: Set<String> = []
        for (index, entry) in entries.enumerated() {
            if entry.seq != index + 1 { complaints.append("entry \(index + 1) has seq \(entry.seq)") }
            hashes[entry.seq] = entry.hash
            if let id = entry.id, !ids.insert(id).inserted { complaints.append("the id \(id) was recorded twice") }
            if complaints.count > 5 { return complaints }
        }
        for receipt in receipts {
            let parts = receipt.split(separator: "/")
            if parts.count < 5 || Int(parts[2]).flatMap({ hashes[$0] }) != String(parts[3]) {
                complaints.append("acknowledged and not there: \(receipt)")
            }
        }
        return complaints
    }
}

/// What processes told their callers.
enum Acknowledged {
    static let label = "bulla-receipt-v1/"

    /// The receipts in whole lines of a text.
    static func receipts(_ text: String) -> [String] {
        guard let end = text.lastIndex(of: "\n") else { return [] }
        return receipts(lines: text[...end].split(separator: "\n").map(String.init))
    }

    static func receipts(lines: [String]) -> [String] { lines.compactMap(receipt) }

    /// The receipt that a line begins with.
    static func receipt(_ line: String) -> String? {
        line.hasPrefix(label) ? line.split(separator: " ").first.map(String.init) : nil
    }
}
