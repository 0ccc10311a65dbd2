/// A JSON value as RFC 8259 defines it, restricted to I-JSON (RFC 7493): numbers are doubles and member names are unique.
///
/// Two values are equal exactly when their canonical bytes are equal; in particular strings are compared by code points,
/// not by Swift's canonical equivalence, and -0 equals 0. A `number` must be finite to be written.
package enum JSON: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

extension JSON: Equatable {
    package static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSON: CustomStringConvertible {
    /// The canonical text; a tree that holds NaN or an infinity has none and must not be described.
    package var description: String { canonicalText }
}
