/// The system's lists of users and groups, wherever it has them from.
package enum NameService {
    /// The number of a group; nil where there is none of this name.
    package static func group(_ name: String) -> UInt32? {
        let fields = fields(for: name, in: "group")
        return fields.count > 2 ? UInt32(String(decoding: fields[2], as: UTF8.self)) : nil
    }

    /// A user's home folder; nil where no such user, or no home of his, is known.
    static func home(of user: UInt32) -> [UInt8]? {
        let fields = fields(for: "\(user)", in: "passwd")
        return fields.count > 5 && !fields[5].isEmpty ? fields[5] : nil
    }

    private static func fields(for key: String, in list: String) -> [[UInt8]] {
        guard !key.isEmpty, !key.utf8.contains(0), let line = System.line(for: key, in: list) else { return [] }
        return line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map(Array.init)
    }
}
