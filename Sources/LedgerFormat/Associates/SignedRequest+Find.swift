import CanonicalJSON

/// Finds requests in damaged bytes: whatever became of the entry around one, its own signatures say whether it was signed.
extension SignedRequest {
    private static let opening = Array(#"{"arguments":{"#.utf8)

    /// At most so many are taken from one run of bytes: each that counts must follow another one.
    package static let foundCountMax = 1000

    /// Those whose text is whole, in their order. Nobody's signature is looked at.
    package static func found(in bytes: Span<UInt8>) -> [SignedRequest] {
        var found: [SignedRequest] = []
        var start = 0
        while found.count < foundCountMax, let next = opening.place(in: bytes, from: start, to: bytes.count) {
            start = next + 1
            if let request = request(in: bytes, at: next) { found.append(request) }
        }
        return found
    }

    /// The text ends with the verb, which stands nowhere else in it: the quotes of a text are escaped.
    private static func request(in bytes: Span<UInt8>, at start: Int) -> SignedRequest? {
        let limit = min(bytes.count, start + byteCountMax)
        for verb in Verb.allCases {
            let closing = Array("\"verb\":\"\(verb.rawValue)\"}".utf8)
            guard let end = closing.place(in: bytes, from: start, to: limit) else { continue }
            let text = bytes.extracting(start..<end + closing.count)
            if let json = try? JSON(parsing: text), let request = SignedRequest(json) { return request }
        }
        return nil
    }
}

extension [UInt8] {
    /// Where these bytes stand first in others.
    fileprivate func place(in bytes: Span<UInt8>, from start: Int, to limit: Int) -> Int? {
        guard limit - start >= count else { return nil }
        var place = start
        while place <= limit - count {
            if bytes[place] == self[0] {
                var length = 1
                while length < count, bytes[place + length] == self[length] { length += 1 }
                if length == count { return place }
            }
            place += 1
        }
        return nil
    }
}
