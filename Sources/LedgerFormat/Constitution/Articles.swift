/// What a constitution lays down, whatever its text looks like. Each article has something that enforces it.
package struct Articles: Sendable {
    /// Of actors, highest first: where two say different things of one place, the higher prevails. `anyClass` stands for all that are not
    /// named; without it only the classes that are named are enrolled.
    package var classes: [String]
    /// Which pillar alone justifies which actions: names of actions, each of which stands for all below it too.
    package var pillars: [Justification.Pillar: [String]] = [:]
    /// How long a request lives that associates sign, unless it is made for less.
    package var requestHours = 7 * 24
    /// From how many traumas of one signature on a patch is drafted.
    package var recurrences = 3
    /// Where handbooks may be changed: absolute, or relative to the directory in which the ledger's directory stands.
    package var handbookFolders: [String] = []
    /// Younger entries are not archived.
    package var retentionDays = 0

    package init(classes: [String]) { self.classes = classes }

    /// In `classes`: all that are not named.
    package static let anyClass = "*"

    /// What holds until a constitution is adopted.
    package static let standard = Articles(
        classes: ["security-sentinel", "supervisor", "operator", "specialist", "worker", anyClass, "skill-utility"])
}

// The bounds of what can be adopted. A segment begins with the articles, and a request holds the text too.
extension Articles {
    /// Of a list: classes, a pillar's actions, folders.
    package static let countMax = 64
    package static let folderByteCountMax = 1024
    /// Signed in a year and a day, or never.
    package static let requestHourRange = 1...366 * 24
    package static let recurrenceRange = 1...1_000_000
    /// A hundred years.
    package static let retentionDayRange = 0...36_525
    /// Of the articles in canonical form, and of the text.
    package static let byteCountMax = 16 << 10

    /// A class's one name: both spellings mean the same, and nobody shall lose by a dash.
    package static func className(_ text: String) -> String { String(text.map { $0 == "_" ? "-" : $0 }) }
}

// What enforcement asks
extension Articles {
    /// Whether somebody may be enrolled as one of this class.
    package func allows(class actorClass: String) -> Bool {
        let name = Self.className(actorClass)
        return classes.contains { $0 == Self.anyClass || Self.className($0) == name }
    }

    /// The pillar by which alone an action is justified, and the rule that says so; nil where any will do. Of several rules the one
    /// with the longest name counts, which is the nearest.
    package func pillar(of action: String) -> (pillar: Justification.Pillar, rule: String)? {
        var nearest: (pillar: Justification.Pillar, rule: String)?
        for (pillar, names) in pillars {
            for name in names where Self.covers(name, action) && nearest?.rule.utf8.count ?? 0 < name.utf8.count {
                nearest = (pillar, name)
            }
        }
        return nearest
    }

    private static func covers(_ name: String, _ action: String) -> Bool {
        action == name || action.hasPrefix(name) && action.utf8.dropFirst(name.utf8.count).first == UInt8(ascii: ".")
    }
}
