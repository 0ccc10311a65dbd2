/// What has been encoded so far. Containers are objects, because whoever asked for one may go on writing to it.
enum EncodedValue {
    case value(JSON)
    case array(EncodedArray)
    case object(EncodedObject)
    /// What an encoder that was handed out, for a nested container or a superclass, has got in the end.
    case later(JSONValueEncoder)

    func json() throws(EncodingError) -> JSON {
        switch self {
        case .value(let json): json
        case .array(let array): try array.json()
        case .object(let object): try object.json()
        case .later(let encoder): try encoder.json()
        }
    }
}

final class EncodedArray {
    let codingPath: [any CodingKey]
    private var elements: [EncodedValue] = []

    init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

    var count: Int { elements.count }
    /// Where the next element will be.
    var endPath: [any CodingKey] { codingPath + [JSONCodingKey(count)] }

    func append(_ value: EncodedValue) { elements.append(value) }

    fileprivate func json() throws(EncodingError) -> JSON {
        var result: [JSON] = []
        result.reserveCapacity(count)
        for element in elements { result.append(try element.json()) }
        return .array(result)
    }
}

final class EncodedObject {
    let codingPath: [any CodingKey]
    private var members: [(key: String, value: EncodedValue)] = []

    init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

    func append(_ value: EncodedValue, forKey key: any CodingKey) { members.append((key.stringValue, value)) }

    fileprivate func json() throws(EncodingError) -> JSON {
        var pairs: [(String, JSON)] = []
        pairs.reserveCapacity(members.count)
        for member in members { pairs.append((member.key, try member.value.json())) }
        let object = JSONObject(pairs)
        // It keeps one of several members with the same key.
        guard object.count == pairs.count else {
            var seen: Set<[UInt8]> = []
            let repeated = members.first { !seen.insert(Array($0.key.utf8)).inserted }
            let reason = JSONCodingError.Reason.duplicateKey(repeated?.key ?? "")
            throw reason.encodingError(JSON.object(object), at: codingPath)
        }
        return .object(object)
    }
}
