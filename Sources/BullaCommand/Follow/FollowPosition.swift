import LedgerFormat

/// Where in which file a line stands that was recorded: the idempotency key of its entry, from which following goes on.
///
/// `follow:DEVICE:INODE:LIFE:OFFSET:LENGTH:CHECK`. A life is one file from its first byte to its truncation or end, so that
/// no two lines have one key, also where a number of a file is used again.
struct FollowPosition: Equatable {
    var device: UInt64
    var inode: UInt64
    /// When it was met first, in microseconds since 1970.
    var life: Int64
    /// Of the line's first byte.
    var offset: Int
    /// Without its line feed.
    var byteCount: Int
    /// Tells whether the line still stands there.
    var check: String

    private static let label = "bulla/1/follow\n"

    /// A digest under the sealing key, by which nobody else can guess what the line said.
    static func check(of line: [UInt8], _ key: SealingKey) -> String {
        String(key.authenticate(label: label, line).description.prefix(8))
    }

    var text: String { "follow:\(device):\(inode):\(life):\(offset):\(byteCount):\(check)" }
}

extension FollowPosition {
    /// Reads what `text` writes; nil for any other id.
    init?(_ text: String) {
        let words = text.split(separator: ":", omittingEmptySubsequences: false)
        guard words.count == 7, words[0] == "follow", let device = UInt64(words[1]), let inode = UInt64(words[2]),
            let life = Int64(words[3]), let offset = Int(words[4]), let byteCount = Int(words[5]), offset >= 0,
            (0...Limits.frame).contains(byteCount), offset < Int.max - Limits.frame
        else { return nil }
        self.init(
            device: device, inode: inode, life: life, offset: offset, byteCount: byteCount, check: String(words[6]))
    }
}
