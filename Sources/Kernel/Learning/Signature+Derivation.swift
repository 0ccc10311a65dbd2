// Where nobody names one. A writer derives it and records it, so that a fold never does.
extension Signature {
    /// Of a command that failed: its program, its first argument where that is a plain word, and its end.
    ///
    /// `["/usr/bin/make", "test", "-j2"]` and `exit-2` give `record/make/test/exit-2`: paths, options and operands change from run to run.
    package init(command: [String], ending: String) {
        let name = command.first?.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
        var parts = ["record", Self.plain(name, Self.programByteCountMax)]
        if let word = command.dropFirst().first, Self.isPlainWord(word) { parts.append(word) }
        self.init(joining: parts + [ending])
    }

    /// Of a trauma that is told in words: the first of them, in lower case and with # for numbers.
    ///
    /// `The deploy of host 17 failed!` gives `told/the-deploy-of-host-#-failed`.
    package init(words text: String) {
        var words: [String] = [""]
        for scalar in text.lowercased().unicodeScalars {
            switch Kind(scalar) {
            case .letter: words[words.count - 1].unicodeScalars.append(scalar)
            case .digit: if words[words.count - 1].last != "#" { words[words.count - 1] += "#" }
            case .other: if words.last != "" { words.append("") }
            }
        }
        let first = words.filter { !$0.isEmpty }.prefix(Self.wordCountMax).joined(separator: "-")
        self.init(joining: ["told", first.isEmpty ? "-" : Self.cut(first, Self.wordsByteCountMax)])
    }

    /// Of an entry of the house about itself: what kind of trauma that is, its action says.
    init(action: String) { self.init(joining: [action]) }

    private init(joining parts: [String]) {
        guard let signature = Self(parts.joined(separator: "/")) else { preconditionFailure("\(parts) are no signature") }
        self = signature
    }

    private static let programByteCountMax = 40
    private static let wordByteCountMax = 24
    private static let wordCountMax = 8
    private static let wordsByteCountMax = 80

    private enum Kind {
        case letter, digit, other

        init(_ scalar: Unicode.Scalar) {
            switch scalar.properties.generalCategory {
            case .decimalNumber: self = .digit
            case .nonspacingMark, .spacingMark: self = .letter
            default: self = scalar.properties.isAlphabetic ? .letter : .other
            }
        }
    }

    /// As a subcommand is called.
    private static func isPlainWord(_ word: String) -> Bool {
        word.utf8.count <= wordByteCountMax && word.utf8.first.map { (0x61...0x7A).contains($0) } ?? false
            && word.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || "-_:".utf8.contains($0) }
    }

    private static func plain(_ name: String, _ byteCount: Int) -> String {
        let safe = String(
            String.UnicodeScalarView(name.unicodeScalars.map { $0.value <= 0x20 || (0x7F...0xA0).contains($0.value) ? "_" : $0 }))
        return safe.isEmpty ? "-" : cut(safe, byteCount)
    }

    private static func cut(_ text: String, _ byteCount: Int) -> String { Brief.head(of: text, byteCount) }
}
