package import CanonicalJSON

// A snapshot holds leases and declarations as entries do: there is one form, and one reader of it.
extension Lanes {
    package func encode(to encoder: any Encoder) throws {
        try JSON.object([
            "declared": .object(JSONObject(declared.map { ($0.key.text, .object($0.value.json)) })),
            "leases": Self.checkpoint(ordered), "picks": Self.json(picks, \.json), "settings": .object(settings.json),
            "spawns": Self.json(spawns, \.json), "units": Self.json(units, \.json),
        ]).encode(to: encoder)
    }

    package init(from decoder: any Decoder) throws {
        let json = try JSON(from: decoder)
        settings.change(by: json["settings"] ?? .null)
        for member in json["declared"]?.object?.members ?? [] {
            guard let lane = Label(member.key), let declaration = LaneDeclaration(member.value) else { throw Self.fault(decoder) }
            declared[lane] = declaration
        }
        for item in json["leases"]?.array ?? [] {
            guard let token = item["token"]?.integer.flatMap({ UInt64(exactly: $0) }), let lease = Lease(item, token: token)
            else {
                throw Self.fault(decoder)
            }
            leases[lease.id] = lease
        }
        try Self.read(json["spawns"], into: &spawns, decoder, Spawn.init, name: { $0.lane })
        try Self.read(json["units"], into: &units, decoder, Attempt.init, name: { $0.unit })
        try Self.read(json["picks"], into: &picks, decoder, Attempt.init, name: { $0.lane })
    }

    /// The leases of a checkpoint: each with its token.
    package static func checkpoint(_ leases: [Lease]) -> JSON {
        .array(
            leases.map { lease in
                var object = lease.json
                object["token"] = .number(Double(lease.token))
                return .object(object)
            })
    }

    private static func json<Value>(_ newest: Newest<Value>, _ json: (Value) -> JSON) -> JSON {
        .array(newest.items.map { ["order": .number(Double($0.order)), "value": json($0.value)] })
    }

    private static func read<Value>(
        _ json: JSON?, into newest: inout Newest<Value>, _ decoder: any Decoder, _ value: (JSON) -> Value?,
        name: (Value) -> Label?
    ) throws {
        for item in json?.array ?? [] {
            guard let order = item["order"]?.integer.flatMap({ UInt64(exactly: $0) }), let value = item["value"].flatMap(value),
                let name = name(value)
            else { throw fault(decoder) }
            newest.put(value, for: name, order: order)
        }
    }

    private static func fault(_ decoder: any Decoder) -> DecodingError {
        .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "it is no state of lanes"))
    }
}
