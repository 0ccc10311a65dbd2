import CanonicalJSON
package import LedgerFormat

extension Anchor {
    /// A longer file is not read.
    package static let byteCountMax = 1 << 20

    /// Canonical JSON `{"ledger","places":[{"hash","offset","path","segment","seq","time"}…],"v":1}`; a path that is no UTF-8 has
    /// `path_base64` beside it.
    package var fileContents: [UInt8] {
        let places = sightings.map { sighting -> JSON in
            var object = sighting.path.members()
            object["seq"] = .number(Double(sighting.seq))
            object["hash"] = .string(sighting.hash.description)
            object["segment"] = .number(Double(sighting.segment))
            object["offset"] = .number(Double(sighting.offset))
            object["time"] = .string(sighting.time.description)
            return .object(object)
        }
        let json: JSON = ["ledger": .string(ledger.description), "places": .array(places), "v": 1]
        return json.canonicalBytes()
    }

    /// Nil unless the bytes are an anchor of this ledger.
    package init?(file bytes: [UInt8], of ledger: LedgerID) {
        guard bytes.count <= Self.byteCountMax, let json = try? JSON(parsing: bytes), json["v"]?.integer == 1,
            json["ledger"]?.string == ledger.description, let places = json["places"]?.array
        else { return nil }
        var sightings: [Sighting] = []
        for place in places {
            guard let object = place.object, let sighting = Sighting(object) else { return nil }
            sightings.append(sighting)
        }
        guard sightings.count <= Self.sightingCountMax else { return nil }
        self.init(ledger, sightings)
    }
}

extension Anchor.Sighting {
    fileprivate init?(_ object: JSONObject) {
        func whole(_ name: String) -> UInt64? { object[name]?.integer.flatMap { UInt64(exactly: $0) } }
        guard let path = PathText(object), let seq = whole("seq"), (1...Limits.seq).contains(seq),
            let hash = object["hash"]?.string.flatMap({ Digest($0) }), let segment = whole("segment"),
            let offset = whole("offset").flatMap({ Int(exactly: $0) }),
            let time = object["time"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        self.init(path: path, seq: seq, hash: hash, segment: segment, offset: offset, time: time)
    }
}
