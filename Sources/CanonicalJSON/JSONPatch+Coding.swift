extension JSONPatch {
    /// Reads a patch document (RFC 6902, sections 3 and 4); members that an operation does not know are ignored.
    package init(_ document: JSON) throws(JSONPatchError) {
        guard case .array(let elements) = document else {
            throw JSONPatchError(operation: nil, reason: .notAnArray)
        }
        operations = []
        for (index, element) in elements.enumerated() {
            do throws(JSONPatchError.Reason) {
                operations.append(try Operation(element))
            } catch {
                throw JSONPatchError(operation: index, reason: error)
            }
        }
    }

    /// The patch document.
    package var json: JSON {
        .array(operations.map(\.json))
    }
}

extension JSONPatch.Operation {
    /// The members that an operation knows.
    struct Parts {
        var name, path, from, value: JSON?
    }

    fileprivate init(_ json: JSON) throws(JSONPatchError.Reason) {
        guard case .object(let object) = json else { throw .notAnObject }
        try self.init(Parts(name: object["op"], path: object["path"], from: object["from"], value: object["value"]))
    }

    init(_ parts: Parts) throws(JSONPatchError.Reason) {
        guard case .string(let name) = parts.name else { throw .badMember("op") }
        switch name {
        case "add": self = .add(try Self.pointer("path", parts.path), try Self.value(parts))
        case "remove": self = .remove(try Self.pointer("path", parts.path))
        case "replace": self = .replace(try Self.pointer("path", parts.path), try Self.value(parts))
        case "move": self = .move(from: try Self.pointer("from", parts.from), to: try Self.pointer("path", parts.path))
        case "copy": self = .copy(from: try Self.pointer("from", parts.from), to: try Self.pointer("path", parts.path))
        case "test": self = .test(try Self.pointer("path", parts.path), try Self.value(parts))
        default: throw .unknownOperation
        }
    }

    private static func pointer(_ name: String, _ member: JSON?) throws(JSONPatchError.Reason) -> JSONPointer {
        guard case .string(let text) = member else { throw .badMember(name) }
        do throws(JSONPointer.SyntaxError) {
            return try JSONPointer(parsing: text)
        } catch {
            throw .badPointer(error)
        }
    }

    /// The member `value`, which may be null but not absent.
    private static func value(_ parts: Parts) throws(JSONPatchError.Reason) -> JSON {
        guard let value = parts.value else { throw .badMember("value") }
        return value
    }

    package var json: JSON {
        switch self {
        case .add(let path, let value): Self.json("add", path, ("value", value))
        case .remove(let path): Self.json("remove", path)
        case .replace(let path, let value): Self.json("replace", path, ("value", value))
        case .move(let from, let path): Self.json("move", path, ("from", .string("\(from)")))
        case .copy(let from, let path): Self.json("copy", path, ("from", .string("\(from)")))
        case .test(let path, let value): Self.json("test", path, ("value", value))
        }
    }

    private static func json(_ name: String, _ path: JSONPointer, _ members: (String, JSON)...) -> JSON {
        .object(JSONObject([("op", .string(name)), ("path", .string("\(path)"))] + members))
    }
}
