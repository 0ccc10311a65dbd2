package import CanonicalJSON

/// What an entry tells of conflicts (FORMAT.md §4.9), with as much of each as it has room for: nobody is refused for how much others say.
package struct ConflictRecord: Sendable {
    /// Of the entry's body.
    package private(set) var members: JSONObject
    private var room: Int

    /// So many places are named at most.
    package static let namedCountMax = 1000
    /// Of the first so many, in so many bytes, both values are told.
    private static let valuedCountMax = 32
    private static let valuedByteCountMax = 128 << 10
    /// Beside events. Any one place has room, and so have the seqs of all that a draft is compared with.
    private static let lostByteCountMax = 320 << 10
    private static let overrodeByteCountMax = 192 << 10

    /// Beside events: nobody goes by it again, and of what they lost the first places say enough.
    package static func ofEvents(_ resolution: ConflictManager.Resolution) -> JSONObject {
        var record = ConflictRecord(lostByteCountMax)
        let told = record.list(resolution.lost, behind: .digest)
        record.members["lost"] = .array(told)
        let untoldCount = resolution.lost.count - told.count
        if untoldCount > 0 { record.members["lost_more"] = .number(Double(untoldCount)) }
        record.room += overrodeByteCountMax
        guard record.add(overrode: resolution.overrode, besides: told.count) else {
            preconditionFailure("a draft is compared with no more entries than have room by their seqs")
        }
        return record.members
    }

    /// In a change of the tree: later ones go by what it tells, so it names all that was lost.
    ///
    /// - Parameters:
    ///   - isWhole: with whole values, as no other member holds them.
    ///   - room: so many bytes.
    /// - Returns: nil if there is no room for that.
    package static func ofTree(
        _ resolution: ConflictManager.Resolution, isWhole: Bool, within room: Int
    ) -> JSONObject? {
        var record = ConflictRecord(room)
        let told =
            isWhole
            ? record.list(resolution.lost, behind: .whole, valuedByteCount: 0) : record.list(resolution.lost, behind: .digest)
        record.members["lost"] = .array(told)
        guard told.count == resolution.lost.count, record.add(overrode: resolution.overrode, besides: told.count) else {
            return nil
        }
        return record.members
    }

    private init(_ room: Int) {
        self.room = room
        members = [:]
    }

    /// Others' values stand in their own entries. Whose places are not all named is named himself: what he lost follows from both entries.
    private mutating func add(overrode: [Collision], besides count: Int) -> Bool {
        let (before, countMax) = (room, Self.namedCountMax - count)
        var told = list(overrode, behind: .nothing, atMost: countMax)
        if told.count < overrode.count {
            // All of them may be among those that have no room.
            let seqs = Set(overrode.compactMap(\.loser.seq))
            room = before - seqs.reduce(0) { $0 + "\($1),".utf8.count }
            guard room >= 0 else { return false }
            told = list(overrode, behind: .nothing, atMost: countMax)
            let more = Set(overrode[told.count...].compactMap(\.loser.seq)).sorted()
            members["overrode_more"] = .array(more.map { .number(Double($0)) })
        }
        members["overrode"] = .array(told)
        return true
    }

    /// The first ones with both values, the others as short as may be, as many as there is room for.
    private mutating func list(
        _ collisions: [Collision], behind detail: Collision.Detail, atMost countMax: Int = namedCountMax,
        valuedByteCount: Int = valuedByteCountMax
    ) -> [JSON] {
        var told: [JSON] = []
        var valuedRoom = valuedByteCount
        for collision in collisions.prefix(max(countMax, 0)) {
            var json = collision.brief(detail)
            if valuedRoom > 0, told.count < Self.valuedCountMax {
                valuedRoom -= collision.json.canonicalBytes().count + 1
                if valuedRoom >= 0 { json = collision.json }
            }
            let byteCount = json.canonicalBytes().count + 1
            guard byteCount <= room else { break }
            room -= byteCount
            told.append(json)
        }
        return told
    }
}
