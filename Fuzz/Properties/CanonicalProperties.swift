import CanonicalJSON

/// Any bytes: the validator accepts exactly what the writer gives back after the parser has read it, wherever it stands.
enum CanonicalProperties {
    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        for depth in [64, 2] {
            let parsed = try? JSON(parsing: input, maximumDepth: depth)
            let fault = CanonicalScanner.firstFault(in: input.span, maximumDepth: depth)
            let isFixed = parsed?.canonicalBytes() == input
            try hold(
                (fault == nil) == isFixed,
                "at depth \(depth) the validator says \(fault.map(\.description) ?? "canonical"), writing again gives "
                    + "\(isFixed ? "the same" : "something else")")
            if let fault {
                try hold((0...input.count).contains(fault.offset), "the fault lies outside: \(fault)")
                // Space behind the value is bytes behind the value.
                let isSpaceBehind = fault.kind == .trailingBytes && input[fault.offset...].allSatisfy(" \t\n\r".utf8.contains)
                try hold(parsed == nil || fault.kind.isOfForm || isSpaceBehind, "well-formed JSON is said not to be: \(fault)")
            }
            if fault == nil { try standsAnywhere(input, depth) }
        }
    }

    /// A scanner that has been used stops at the value's end, whatever stands before and behind.
    private static func standsAnywhere(_ value: [UInt8], _ depth: Int) throws(BrokenProperty) {
        var scanner = CanonicalScanner()
        for (before, behind) in [
            ("", ","), ("[1,{\"a", "]"), ("\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}", "}\u{0}99999999"), ("\"", ",\"\\"),
        ] {
            let bytes = Array(before.utf8) + value + behind.utf8
            scanner.position = before.utf8.count
            let isRead = (try? scanner.skipValue(in: bytes.span, maximumDepth: depth)) != nil
            try hold(
                isRead && scanner.position == before.utf8.count + value.count,
                "between \(before.debugDescription) and \(behind.debugDescription) the value ends at \(scanner.position)")
        }
    }

    static let seeds = JSONProperties.seeds.flatMap { seed in
        [seed] + (seed.split(separator: 0x1E).compactMap { try? JSON(parsing: Array($0)).canonicalBytes() })
    }
}

extension JSONError.Kind {
    /// Whether it is the form that is wrong, and not the value.
    fileprivate var isOfForm: Bool {
        switch self {
        case .notCanonicalSpace, .notCanonicalOrder, .notCanonicalEscape, .notCanonicalNumber: true
        default: false
        }
    }
}
