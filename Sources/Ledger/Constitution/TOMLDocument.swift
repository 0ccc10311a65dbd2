package import CanonicalJSON

/// A text of TOML (v1.0.0), as far as a constitution needs it: tables one level deep, strings, whole numbers, and lists of them.
///
/// A small reader of our own, because each thing that is refused must be named with its place in the text. What it reads means the same to
/// any other reader; what it does not know, it refuses.
struct TOMLDocument: Equatable {
    /// Of the text's beginning first, whose name is empty, and then each under its header.
    var tables: [Table]

    struct Table: Equatable {
        var name: String
        /// Where the name stands.
        var offset: Int
        var members: [Member] = []
    }

    struct Member: Equatable {
        var key: String
        var offset: Int
        var value: Value
    }

    struct Value: Equatable {
        var offset: Int
        var content: Content
    }

    enum Content: Equatable {
        case text(String)
        case integer(Int64)
        case list([Value])
        /// What no article takes, as it stands there: `true`, `1.5`, `nan`, a date.
        case other(String)
    }
}

/// Where a text is no constitution, and why.
package struct ProposalError: Error, Equatable {
    package let location: JSONError.Location
    package let reason: String
}

extension ProposalError: CustomStringConvertible {
    package var description: String { "\(location): \(reason)" }
}

extension ProposalError {
    /// - Parameter offset: in bytes.
    init(_ reason: String, at offset: Int, in text: [UInt8]) {
        location = JSONError.location(of: offset, in: text.span)
        self.reason = reason
    }
}
