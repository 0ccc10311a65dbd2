package import CanonicalJSON

// As requests and entries hold them (FORMAT.md §4.8).
extension Articles {
    package var json: JSON {
        let rules = pillars.map { pillar, names in (pillar.rawValue, JSON.texts(names)) }
        return [
            "classes": .texts(classes), "handbooks": ["folders": .texts(handbookFolders)],
            "pillars": .object(JSONObject(rules)), "retention": ["days": .number(Double(retentionDays))],
            "thresholds": ["recurrences": .number(Double(recurrences)), "request_hours": .number(Double(requestHours))],
        ]
    }

    /// Of their canonical text: by it a release names them, and people compare them.
    package var digest: Digest { Digest(sha256: json.canonicalBytes().span) }

    /// Reads what an entry holds; nil if it has not the form, or contradicts itself.
    package init?(_ json: JSON) {
        guard json.object?.members.count == 5, let classes = json["classes"]?.texts(Self.isClass), !classes.isEmpty,
            Set(classes.map(Self.className)).count == classes.count, let handbooks = json["handbooks"],
            handbooks.object?.members.count == 1, let folders = handbooks["folders"]?.texts(Self.isFolder),
            let rules = json["pillars"]?.object, let retention = json["retention"], retention.object?.members.count == 1,
            let days = retention["days"]?.count(Self.retentionDayRange), let thresholds = json["thresholds"],
            thresholds.object?.members.count == 2, let recurrences = thresholds["recurrences"]?.count(Self.recurrenceRange),
            let hours = thresholds["request_hours"]?.count(Self.requestHourRange)
        else { return nil }
        self.init(classes: classes)
        handbookFolders = folders
        retentionDays = days
        self.recurrences = recurrences
        requestHours = hours
        for rule in rules.members {
            guard let pillar = Justification.Pillar(rawValue: rule.key), let names = rule.value.texts(Self.isRule) else {
                return nil
            }
            pillars[pillar] = names
        }
        let names = pillars.values.joined()
        guard Set(names).count == names.count, json.canonicalBytes().count <= Self.byteCountMax else { return nil }
    }

    package static func isClass(_ text: String) -> Bool { text == anyClass || ActorRoster.isClass(text) }

    package static func isRule(_ text: String) -> Bool { Names.isAction(text) && text.utf8.count <= Names.draftByteCount }

    package static func isFolder(_ text: String) -> Bool {
        (1...folderByteCountMax).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

extension Articles: Equatable {
    /// By the bytes: Swift takes é and e + ´ for the same.
    package static func == (a: Articles, b: Articles) -> Bool { a.json == b.json }
}

extension JSON {
    fileprivate static func texts(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }

    fileprivate func texts(_ isRight: (String) -> Bool) -> [String]? {
        guard let items = array, items.count <= Articles.countMax else { return nil }
        let texts = items.compactMap { $0.string.flatMap { isRight($0) ? $0 : nil } }
        return texts.count == items.count ? texts : nil
    }

    fileprivate func count(_ range: ClosedRange<Int>) -> Int? {
        integer.map { Int(clamping: $0) }.flatMap { range.contains($0) ? $0 : nil }
    }
}
