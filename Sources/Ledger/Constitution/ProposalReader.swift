import DurableFiles
import LedgerFormat

/// What the values of a text mean in an article, and what is wrong with them.
struct ProposalReader {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func error(_ reason: String, at offset: Int) -> ProposalError { ProposalError(reason, at: offset, in: bytes) }

    func members(
        of table: TOMLDocument.Table, among keys: [String],
        _ body: (String, TOMLDocument.Value) throws(ProposalError) -> Void
    ) throws(ProposalError) {
        for member in table.members {
            guard keys.contains(member.key) else {
                let place = table.name.isEmpty ? "before the first table" : "in [\(table.name)]"
                throw error(
                    "there is no article \"\(member.key)\" \(place), only \(keys.joined(separator: ", "))", at: member.offset)
            }
            try body(member.key, member.value)
        }
    }

    func number(_ key: String, _ value: TOMLDocument.Value, _ range: ClosedRange<Int>) throws(ProposalError) -> Int {
        let wanted = "\(key) takes a whole number from \(range.lowerBound) to \(range.upperBound)"
        switch value.content {
        case .integer(let number):
            guard let number = Int(exactly: number), range.contains(number) else {
                throw error("\(wanted), and not \(number)", at: value.offset)
            }
            return number
        case .other(let text): throw error("\(wanted), and not \(text)", at: value.offset)
        case .text, .list: throw error(wanted, at: value.offset)
        }
    }

    func classes(_ value: TOMLDocument.Value) throws(ProposalError) -> [String] {
        var classes: [String] = []
        for (name, offset) in try texts("classes", value) {
            guard Articles.isClass(name) else {
                throw error(
                    "\"\(name)\" is no class: letters a-z, digits, _ and -, \(ActorRoster.classByteCountMax) bytes at most, or \"*\" for all others",
                    at: offset)
            }
            guard !classes.contains(where: { Articles.className($0) == Articles.className(name) }) else {
                throw error("the class \"\(name)\" is named twice", at: offset)
            }
            classes.append(name)
        }
        guard !classes.isEmpty else {
            throw error("no class is named, so that nobody could be enrolled: name one at least, or \"*\"", at: value.offset)
        }
        return classes
    }

    func pillars(_ table: TOMLDocument.Table) throws(ProposalError) -> [Justification.Pillar: [String]] {
        var pillars: [Justification.Pillar: [String]] = [:]
        for member in table.members {
            guard let pillar = Justification.Pillar(rawValue: member.key) else {
                let names = Justification.Pillar.allCases.map(\.rawValue).joined(separator: ", ")
                throw error("there is no pillar \"\(member.key)\": they are \(names)", at: member.offset)
            }
            for (text, offset) in try texts(member.key, member.value) {
                let name = text.hasSuffix(".") ? String(text.dropLast()) : text
                guard Articles.isRule(name) else {
                    throw error("\"\(text)\" begins no action: they have names such as trade.order", at: offset)
                }
                guard !ReservedNames.contains(action: name) else {
                    throw error(
                        "\"\(text)\" is the house's own: a rule for what it records would lock it out of its own ledger",
                        at: offset)
                }
                if let other = pillars.first(where: { $0.value.contains(name) })?.key {
                    throw error(
                        other == pillar
                            ? "\"\(text)\" is named twice"
                            : "\"\(text)\" is justified by \(other.rawValue) already: nothing could be justified by both",
                        at: offset)
                }
                pillars[pillar, default: []].append(name)
            }
        }
        return pillars
    }

    func folders(_ value: TOMLDocument.Value) throws(ProposalError) -> [String] {
        var folders: [String] = []
        for (folder, offset) in try texts("folders", value) {
            guard Articles.isFolder(folder) else {
                throw error(
                    "this is no folder: 1 to \(Articles.folderByteCountMax) bytes without control characters", at: offset)
            }
            let parts = folder.pathParts(keepingEmpty: true).dropFirst(folder.isAbsolutePath ? 1 : 0)
            guard !parts.contains("..") else {
                throw error("\"\(folder)\" leads out of where it begins: name the folder itself", at: offset)
            }
            guard folder.utf8.contains(where: { $0 != UInt8(ascii: "/") }) else {
                throw error("\"\(folder)\" is the whole machine: name the handbooks' folders", at: offset)
            }
            guard !parts.contains(""), !parts.contains("."), parts.first != "~" else {
                throw error(
                    "\"\(folder)\" has an empty name, . or ~ in it: name the folder plainly, such as agents or /srv/agents",
                    at: offset)
            }
            guard !folder.unicodeScalars.contains(where: \.isHidden) else {
                throw error("this folder has a character in its name that nobody sees", at: offset)
            }
            if let other = folders.first(where: { Self.overlap($0, folder) }) {
                throw error(
                    "the folders \"\(other)\" and \"\(folder)\" are one, or one lies in the other: a handbook has one name",
                    at: offset)
            }
            folders.append(folder)
        }
        return folders
    }

    private static func overlap(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Array(one.utf8) + [UInt8(ascii: "/")], Array(other.utf8) + [UInt8(ascii: "/")])
        return one.starts(with: other) || other.starts(with: one)
    }

    private func texts(_ key: String, _ value: TOMLDocument.Value) throws(ProposalError) -> [(text: String, offset: Int)] {
        guard case .list(let items) = value.content else {
            throw error("\(key) takes a list of texts, such as [\"a\", \"b\"]", at: value.offset)
        }
        guard items.count <= Articles.countMax else {
            throw error("\(key) has \(items.count) items, and may have \(Articles.countMax)", at: value.offset)
        }
        var texts: [(String, Int)] = []
        for item in items {
            guard case .text(let text) = item.content else {
                throw error("\(key) takes texts in quotation marks", at: item.offset)
            }
            guard !text.isEmpty else { throw error("an empty text names nothing", at: item.offset) }
            texts.append((text, item.offset))
        }
        return texts
    }
}
