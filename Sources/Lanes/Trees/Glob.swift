/// A pattern of paths below the root that all agents share: components between slashes, compared whole.
///
/// `*` stands for any run of characters within a component and `?` for one; a component `**` stands for any number of components,
/// also none. A pattern whose last component has no wildcard also covers everything below it, since it may be a directory; one that
/// ends in a wildcard is just what it matches. All other characters stand for themselves.
package struct Glob: Sendable, Hashable, CustomStringConvertible {
    /// As it is recorded: without what says nothing (`./`, `//`, a slash at either end).
    package let text: String
    /// `**` behind a last component without wildcard stands there too.
    private let components: [Component]

    package static let byteCountMax = 1024

    /// Everything.
    package static let everything = Glob(components: ["**"])

    /// Reads a pattern; `.` and `/` are everything.
    ///
    /// - Throws: what is wrong with it, as the end of a sentence.
    package init(_ text: String) throws(GlobError) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= Self.byteCountMax else { throw .long }
        guard !text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else { throw .control }
        let parts = text.unicodeScalars.split(separator: "/").map(String.init).filter { $0 != "." }
        guard !parts.contains("..") else { throw .parent }
        self.init(components: parts.isEmpty ? ["**"] : parts)
    }

    private init(components parts: [String]) {
        text = parts.joined(separator: "/")
        var components = parts.map(Component.init)
        if let last = components.last, !last.isWild { components.append(.anyNumber) }
        self.components = components
    }

    package var description: String { text }

    /// Whether some path is meant by both.
    package func meets(_ other: Glob) -> Bool {
        var effort = Effort()
        return meets(other, &effort)
    }

    /// The same, as far as `effort` reaches.
    ///
    /// - Parameter count: so many components both begin with, and these are plain.
    func meets(_ other: Glob, from count: Int = 0, _ effort: inout Effort) -> Bool {
        effort.spend(1)
        return effort.isSpent
            || meet(
                components, other.components, from: count, &effort, isRun: { $0.isAnyNumber }, agree: { $0.meets($1, &$2) })
    }

    package static func == (one: Glob, other: Glob) -> Bool { one.components == other.components }
    package func hash(into hasher: inout Hasher) { hasher.combine(components) }
}

/// Why a text is no pattern.
package enum GlobError: Error, Equatable, CustomStringConvertible {
    case empty, long, control, parent

    package var description: String {
        switch self {
        case .empty: "it is empty; leave the tree out for everything"
        case .long: "it is longer than \(Glob.byteCountMax) bytes"
        case .control: "it holds a control character"
        case .parent: "it holds \"..\"; write the path from the root"
        }
    }
}

/// One component of a pattern: characters as their code points, and wildcards as numbers that are none.
private struct Component: Sendable, Hashable {
    private let symbols: [UInt32]
    let isWild: Bool
    let isAnyNumber: Bool

    /// Any number of components.
    static let anyNumber = Component(symbols: [run], isAnyNumber: true)

    private static let run: UInt32 = .max
    private static let one: UInt32 = .max - 1

    init(_ text: String) {
        if text == "**" {
            self = .anyNumber
            return
        }
        var symbols: [UInt32] = []
        for scalar in text.unicodeScalars {
            switch scalar {
            // Within a component several say what one says.
            case "*": if symbols.last != Self.run { symbols.append(Self.run) }
            case "?": symbols.append(Self.one)
            default: symbols.append(scalar.value)
            }
        }
        self.init(symbols: symbols)
    }

    private init(symbols: [UInt32], isAnyNumber: Bool = false) {
        self.symbols = symbols
        self.isAnyNumber = isAnyNumber
        isWild = symbols.contains { $0 >= Self.one }
    }

    func meets(_ other: Component, _ effort: inout Effort) -> Bool {
        effort.spend(5)
        if effort.isSpent { return true }
        if !isWild, !other.isWild { return symbols == other.symbols }
        return meet(symbols, other.symbols, &effort, isRun: { $0 == Self.run }) { one, other, effort in
            effort.spend(2)
            return one == other || one == Self.one || other == Self.one || effort.isSpent
        }
    }
}
