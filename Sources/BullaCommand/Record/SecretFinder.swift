/// Collects where secrets stand in the arguments of a command.
struct SecretFinder {
    /// A word of a command: an argument, or a part of one that is a script.
    struct Word {
        let text: Int
        let range: Range<Int>
        /// Whether a shell expands `$NAME` in it.
        var isExpanded = false
    }

    /// How a piece of text is to be read.
    enum Reading {
        /// As an argument of its own.
        case argument
        /// As a script, which a shell expands.
        case script
        /// As something with blanks that may be prose: words of a language are no secrets.
        case prose
    }

    private(set) var texts: [[UInt8]]
    private var markers: [[Range<Int>]]
    private(set) var found: [[Range<Int>]]

    /// Scripts within scripts are read so far.
    private static let depthMax = 4

    /// The secrets of each argument, in order, apart from one another; none within a marker.
    static func secrets(in texts: [[UInt8]]) -> [[Range<Int>]] {
        var finder = SecretFinder(texts)
        finder.scan(texts.indices.map { Word(text: $0, range: 0..<texts[$0].count) }, .argument, depth: 0)
        return finder.found.map(merged)
    }

    private init(_ texts: [[UInt8]]) {
        self.texts = texts
        markers = texts.map(Marker.ranges)
        found = texts.map { _ in [] }
    }

    private static func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = result.last, range.lowerBound < last.upperBound {
                result[result.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                result.append(range)
            }
        }
        return result
    }

    /// Marks what of the range is not in a marker.
    mutating func mark(_ range: Range<Int>, in text: Int) {
        var start = range.lowerBound
        for marker in markers[text] where marker.overlaps(range) {
            if start < marker.lowerBound { found[text].append(start..<marker.lowerBound) }
            start = marker.upperBound
        }
        if start < range.upperBound { found[text].append(start..<range.upperBound) }
    }

    /// Marks a value unless it says nothing; quotes around it stay.
    mutating func mark(_ value: Range<Int>, of kind: SecretKind, in text: Int, _ reading: Reading) {
        let (range, isLiteral) =
            switch reading {
            case .argument: (value, false)
            case .script, .prose: ShellWords.unquoted(texts[text], value)
            }
        let bytes = Array(texts[text][range])
        if HarmlessValue.matches(bytes, kind) { return }
        if reading == .script, !isLiteral, HarmlessValue.isReference(bytes) { return }
        if reading == .prose, range == value, HarmlessValue.isPlainWord(bytes) { return }
        // `pass:` is how openssl begins a password that stands in the command.
        let isPrefixed = texts[text].has("pass:".utf8, at: range.lowerBound) && range.count > 5
        mark((isPrefixed ? range.lowerBound + 5 : range.lowerBound)..<range.upperBound, in: text)
    }

    /// Reads the words of a command, and then what is written within each.
    mutating func scan(_ words: [Word], _ reading: Reading, depth: Int) {
        var command = CommandContext()
        for word in words {
            let range = reading == .argument ? word.range : ShellWords.unquoted(texts[word.text], word.range).range
            let inner: Reading = hasBlank(word.text, range) ? (command.takesScript ? .script : .prose) : reading
            scanPlaces(word, range, command, reading)
            if reading == .argument { scanText(word.text, inner) }
            if inner != .script, reading != .prose { scanAssignment(word, range, reading) }
            if hasBlank(word.text, range), depth < Self.depthMax {
                for part in ShellWords.commands(texts[word.text], range) {
                    scan(part.map { Word(text: word.text, range: $0) }, inner, depth: depth + 1)
                }
            }
            command.note(texts[word.text].text(range))
        }
    }

    private func hasBlank(_ text: Int, _ range: Range<Int>) -> Bool { texts[text][range].contains(where: \.isBlank) }

    /// By what stands before the word, or by the command.
    private mutating func scanPlaces(_ word: Word, _ range: Range<Int>, _ command: CommandContext, _ reading: Reading) {
        let value = texts[word.text].text(range)
        if let kind = command.announced, !value.hasPrefix("-") || value == "-" || value.hasPrefix("-----") {
            mark(word.range, of: kind, in: word.text, reading)
        }
        if command.announcesHeader || value.hasPrefix("-H") {
            scanHeader(word.text, (range.lowerBound + (value.hasPrefix("-H") ? 2 : 0))..<range.upperBound, reading)
        }
        guard let place = command.place(of: value) else { return }
        switch place {
        case .secret(let from):
            mark((range.lowerBound + from)..<range.upperBound, of: .password, in: word.text, unexpanded(reading))
        case .pair(let from, let separator):
            let start = range.lowerBound + from
            let colon = texts[word.text].end(of: start, before: range.upperBound, while: { $0 != separator })
            if colon < range.upperBound {
                mark((colon + 1)..<range.upperBound, of: .password, in: word.text, unexpanded(reading))
            }
        }
    }

    /// The place is certain: a plain word is a secret there, too.
    private func unexpanded(_ reading: Reading) -> Reading { reading == .prose ? .argument : reading }

    /// `Name: value` to the end of the argument.
    private mutating func scanHeader(_ text: Int, _ range: Range<Int>, _ reading: Reading) {
        let bytes = texts[text]
        let start = bytes.end(of: range.lowerBound, before: range.upperBound, while: { $0.isBlank || $0.isQuote })
        let colon = bytes.end(of: start, before: range.upperBound, while: \.isNameByte)
        guard colon < range.upperBound, bytes[colon] == UInt8(ascii: ":") else { return }
        guard let kind = SecretName.kind(bytes.text(start..<colon)) else { return }
        let value = bytes.end(of: colon + 1, before: range.upperBound, while: \.isBlank)
        let credentials = afterScheme(text, value..<range.upperBound)
        mark(credentials, of: kind == .authorization ? .password : kind, in: text, unexpanded(reading))
    }

    /// What follows `Bearer` and the like.
    func afterScheme(_ text: Int, _ range: Range<Int>) -> Range<Int> {
        let bytes = texts[text]
        let end = bytes.end(of: range.lowerBound, before: range.upperBound, while: { !$0.isBlank })
        let scheme = bytes.text(range.lowerBound..<end).lowercased()
        guard ["bearer", "basic", "token", "digest", "negotiate", "apikey", "ntlm", "bot"].contains(scheme) else {
            return range
        }
        return bytes.end(of: end, before: range.upperBound, while: \.isBlank)..<range.upperBound
    }

    /// `--name=value` and `NAME=value`, where the value is all the rest; also behind other names, as in `--env=NAME=value`.
    private mutating func scanAssignment(_ word: Word, _ range: Range<Int>, _ reading: Reading) {
        let bytes = texts[word.text]
        var start = range.lowerBound
        while true {
            let equals = bytes.end(of: start, before: range.upperBound, while: { $0 != UInt8(ascii: "=") })
            // Queries, forms, prose: read by their own rules.
            let lead = bytes[start..<equals]
            if equals == range.upperBound || lead.contains(where: { $0.isBlank || "?&{\"'".utf8.contains($0) }) {
                return
            }
            let nameStart = bytes.start(of: equals, after: start, while: \.isNameByte)
            let value = (equals + 1)..<range.upperBound
            // Code, as in `connect(password='…', user=…)`.
            if reading != .argument, let first = bytes[value].first, first.isQuote,
                ShellWords.closing(bytes, value.lowerBound, before: value.upperBound) < value.upperBound - 1
            {
                return
            }
            if let kind = SecretName.kind(bytes.text(nameStart..<equals)) {
                if !hasFurtherField(bytes, value) { mark(value, of: kind, in: word.text, reading) }
                return
            }
            start = equals + 1
        }
    }

    /// Whether another `&name=` or `,name=` follows in a value.
    private func hasFurtherField(_ bytes: [UInt8], _ value: Range<Int>) -> Bool {
        value.contains { startsField(bytes, $0, before: value.upperBound) }
    }

    /// Whether a separator at the index begins another field.
    func startsField(_ bytes: [UInt8], _ index: Int, before bound: Int) -> Bool {
        guard bytes[index] == UInt8(ascii: ",") || bytes[index] == UInt8(ascii: "&") else { return false }
        let end = bytes.end(of: index + 1, before: bound, while: \.isNameByte)
        return end > index + 1 && end < bound && bytes[end] == UInt8(ascii: "=")
    }
}
