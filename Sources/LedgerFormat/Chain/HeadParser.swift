/// Walks over a HEAD, member by member: its form is fixed, so only values are read.
struct HeadParser {
    private var position = 0

    /// Nil unless the bytes are one HEAD and nothing else; the MAC is not checked here.
    static func read(_ bytes: Span<UInt8>) -> (head: Head, mac: Digest)? {
        var parser = HeadParser()
        guard let alert = parser.alert(bytes),
            parser.expect(",\"end\":", bytes), let end = parser.positive(bytes),
            parser.expect(",\"key\":\"", bytes), let key = KeyID(hex: bytes, at: parser.move(by: 16)),
            parser.expect("\",\"ledger\":\"", bytes), let ledger = LedgerID(hex: bytes, at: parser.move(by: 32)),
            parser.expect("\",\"mac\":\"", bytes), let mac = Digest(hex: bytes, at: parser.move(by: 64)),
            parser.expect("\",\"segment\":", bytes), let segment = parser.positive(bytes),
            parser.expect(",\"seq\":", bytes), let seq = parser.positive(bytes),
            parser.expect(",\"tip\":\"", bytes), let tip = Digest(hex: bytes, at: parser.move(by: 64)),
            parser.expect("\",\"v\":1}", bytes), parser.position == bytes.count
        else { return nil }
        let head = Head(
            alert: alert, end: Int(end), key: key, ledger: ledger, segment: segment, seq: seq, tip: tip)
        return (head, mac)
    }

    private mutating func alert(_ bytes: Span<UInt8>) -> Bool? {
        if expect("{\"alert\":false", bytes) { return false }
        return expect("{\"alert\":true", bytes) ? true : nil
    }

    private mutating func expect(_ literal: StaticString, _ bytes: Span<UInt8>) -> Bool {
        guard bytes.holds(literal, at: position) else { return false }
        position += literal.utf8CodeUnitCount
        return true
    }

    /// A whole number from 1 to 2^53 − 1, in plain digits.
    private mutating func positive(_ bytes: Span<UInt8>) -> UInt64? {
        guard let (value, end) = bytes.plainInteger(at: position), value >= 1 else { return nil }
        position = end
        return value
    }

    /// Answers where the text that is moved over begins.
    private mutating func move(by count: Int) -> Int {
        defer { position += count }
        return position
    }
}
