package import CanonicalJSON

/// A path as text; bytes that are no UTF-8 are kept in base64 beside the printable form.
package struct PathText: Sendable, Equatable, CustomStringConvertible {
    package let text: String
    package let base64: String?

    package init(_ bytes: [UInt8]) {
        text = String(decoding: bytes, as: UTF8.self)
        base64 = String(validating: bytes, as: UTF8.self) == nil ? Base64.text(bytes) : nil
    }

    /// Reads the members that `members` writes.
    package init?(_ object: JSONObject, _ name: String = "path") {
        guard let text = object[name]?.string else { return nil }
        self.text = text
        base64 = object[name + "_base64"]?.string
    }

    /// The member `name`, and `name_base64` where it is needed.
    package func members(_ name: String = "path") -> JSONObject {
        var object: JSONObject = [name: .string(text)]
        if let base64 { object[name + "_base64"] = .string(base64) }
        return object
    }

    /// By the bytes: Swift takes é and e + ´ for the same.
    package static func == (a: PathText, b: PathText) -> Bool {
        a.text.utf8.elementsEqual(b.text.utf8) && a.base64 == b.base64
    }

    package var description: String { text }
}
