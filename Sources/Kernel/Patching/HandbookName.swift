import DurableFiles
import LedgerFormat
import PlantedDefects

/// Which handbook: its path as the constitution's folders begin it, such as `agents/builder/AGENT.md`.
package struct HandbookName: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    package static let fileName = "AGENT.md"

    /// - Throws: for what could lead anywhere else, or look like something else.
    package init(_ text: String) throws(HandbookFault) {
        guard (1...HandbookChange.handbookByteCountMax).contains(text.utf8.count) else { throw .long }
        guard !text.unicodeScalars.contains(where: \.isHidden) else { throw .hidden }
        let parts = text.pathParts(keepingEmpty: true).dropFirst(text.isAbsolutePath ? 1 : 0)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) || planted(.handbookAnywhere) else {
            throw .steps(text)
        }
        guard parts.last.map({ $0.utf8.elementsEqual(Self.fileName.utf8) }) == true || planted(.handbookAnywhere) else {
            throw .fileName(text)
        }
        self.text = text
    }

    /// The handbook of a specialist in a folder; nil if his name is none that a directory can have.
    package init?(of specialist: String, in folder: String) {
        guard let name = try? Self("\(folder)/\(specialist)/\(Self.fileName)"), !specialist.utf8.contains(UInt8(ascii: "/"))
        else { return nil }
        self = name
    }

    /// Names are the same if their bytes are.
    package static func == (one: Self, other: Self) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }
    package func hash(into hasher: inout Hasher) { hasher.combine(Array(text.utf8)) }

    package var description: String { text }
}

/// Why a path is no handbook's, or a text none that a handbook can have.
package enum HandbookFault: Error, Sendable, Equatable {
    case long
    case hidden
    case steps(String)
    case fileName(String)
    /// No folder holds handbooks.
    case noFolders
    case outside(String, [String])
    /// A handbook in them would have two names.
    case overlapping(String, String)
    case insideLedger(String)
    case absent(String)
    /// Nothing can be put where it was.
    case noDirectory(String)
    case tooLarge(String)
    case noText(String)
    /// A line that is added has what nobody sees.
    case hiddenText(UInt32, line: String)
    case diff(UnifiedDiffFault)
}

extension HandbookFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .long: "a handbook's path has 1 to \(HandbookChange.handbookByteCountMax) bytes"
        case .hidden: "a handbook's path has no control characters, and none that cannot be seen"
        case .steps(let text):
            "the path \(text) is refused: it has . or .. or an empty name in it, and must lead straight to the handbook"
        case .fileName(let text): "the path \(text) is refused: a handbook's name is \(HandbookName.fileName)"
        case .noFolders:
            "no constitution says in which folders handbooks lie: adopt one that names them, with `bulla constitution adopt`"
        case .outside(let text, let folders):
            "\(text) lies outside the handbook folders of the constitution: \(folders.joined(separator: ", "))"
        case .overlapping(let one, let other):
            "the handbook folders \(one) and \(other) are one, or one lies in the other, so that a handbook would have two names: adopt a constitution "
                + "that names one of them"
        case .insideLedger(let folder): "the handbook folder \(folder) lies in the ledger's own directory: adopt another one"
        case .absent(let text): "there is no handbook \(text): a patch changes one that is there"
        case .noDirectory(let text): "the directory of the handbook \(text) is not there: make it first"
        case .tooLarge(let text): "the handbook \(text) would have more than \(Handbook.byteCountMax) bytes"
        case .noText(let text): "the handbook \(text) is no text in UTF-8"
        case .hiddenText(let value, let line):
            "it would add the character U+\(String(value, radix: 16, uppercase: true)), which nobody who approves it sees, in the line: \(line)"
        case .diff(let fault): "the diff is refused: \(fault)"
        }
    }
}
