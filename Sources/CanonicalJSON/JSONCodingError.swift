/// Why a value of a Swift type could not be written as JSON, or read from it, and where.
package struct JSONCodingError: Error, Equatable, Sendable {
    package enum Reason: Error, Equatable, Sendable {
        /// NaN and the infinities are no JSON.
        case notFinite
        /// A double cannot hold this integer exactly.
        case notExact(String)
        /// The key was written twice; or, in reading, Swift's `String` takes two keys of the object for the same.
        case duplicateKey(String)
        /// Nested more than 512 levels deep, which no parser of ours would read again.
        case tooDeep
        /// There is no such member or element.
        case missing
        /// The value is of another kind than the type needs; both are said in words.
        case wrongKind(expected: String, found: String)
        /// The type, an integer or `Float`, does not hold this number.
        case outOfRange(type: String, number: Double)
        /// The type itself refused, in its own words.
        case refused(String)
    }

    /// The value to blame, inside what was being written or read.
    package var path: JSONPointer
    package var reason: Reason

    package init(path: JSONPointer, reason: Reason) {
        self.path = path
        self.reason = reason
    }
}

extension JSONCodingError: CustomStringConvertible {
    package var description: String {
        path.tokens.isEmpty ? "the value \(reason)" : "the value at \"\(path)\" \(reason)"
    }
}

extension JSONCodingError.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFinite: "is not finite, and JSON has no such number"
        case .notExact(let integer): "is \(integer), which a double cannot hold exactly"
        case .duplicateKey(let key): "has the key \"\(key)\" twice"
        case .tooDeep: "is nested too deeply"
        case .missing: "is missing"
        case .wrongKind(let expected, let found): "is \(found) instead of \(expected)"
        case .outOfRange(let type, let number):
            "is \(number.isFinite ? "\(JSON.number(number))" : "\(number)"), which \(type) does not hold"
        case .refused(let words): "is refused by its type: \(words)"
        }
    }
}
