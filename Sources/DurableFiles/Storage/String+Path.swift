// Paths are bytes. Swift takes a slash and a combining mark behind it for one character, which is no slash to it; the system sees the slash.
extension String {
    /// What stands between the slashes.
    ///
    /// - Parameter keepingEmpty: whether nothing between two of them, or at an end, counts too.
    package func pathParts(keepingEmpty: Bool = false) -> [String] {
        utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: !keepingEmpty).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    package var isAbsolutePath: Bool { utf8.first == UInt8(ascii: "/") }
}
