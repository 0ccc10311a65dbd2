import CanonicalJSON

/// Any text: parser and canonicalizer say the same, and what they make of it is a fixed point of everything.
///
/// A text may hold two documents with a byte 0x1E between them: then the patch from one to the other is tried too.
enum JSONProperties {
    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        var values: [JSON] = []
        for text in input.split(separator: 0x1E, maxSplits: 1, omittingEmptySubsequences: false) {
            if let value = try document(Array(text)) { values.append(value) }
        }
        if values.count == 2 { try patches(from: values[0], to: values[1]) }
    }

    private typealias Outcome = Result<[UInt8], JSONError>

    private static func document(_ text: [UInt8]) throws(BrokenProperty) -> JSON? {
        var canonicalizer = Canonicalizer()
        // First with little room, so that what an earlier text left behind would be noticed.
        for depth in [3, 64] {
            let expected = Outcome { () throws(JSONError) in try JSON(parsing: text, maximumDepth: depth).canonicalBytes() }
            let found = Outcome { () throws(JSONError) in
                try canonicalizer.rewrite(text.span, maximumDepth: depth)
                return canonicalizer.bytes
            }
            try hold(found == expected, "at depth \(depth) the canonicalizer says \(found), the parser \(expected)")
            if case .failure(let error) = expected {
                try hold((0...text.count).contains(error.offset), "the error lies outside: \(error)")
            }
        }
        guard let value = try? JSON(parsing: text) else { return nil }
        let canonical = value.canonicalBytes()
        let again = try? JSON(parsing: canonical)
        try hold(again == value, "reading what was written gives another value")
        try hold(again?.canonicalBytes() == canonical, "writing again gives other bytes")
        let fault = CanonicalScanner.firstFault(in: canonical.span)
        try hold(fault == nil, "the validator refuses what the writer wrote: \(fault.map(\.description) ?? "")")
        let rewritten = try? { () throws(JSONError) in
            try canonicalizer.rewrite(canonical.span)
            return canonicalizer.bytes
        }()
        try hold(rewritten == canonical, "the canonicalizer changes what is canonical")
        return value
    }

    private static func patches(from old: JSON, to new: JSON) throws(BrokenProperty) {
        let patch = JSONPatch.diff(from: old, to: new)
        try hold((try? patch.apply(to: old)) == new, "the difference does not lead from one document to the other")
        try hold(old != new || patch.operations.isEmpty, "equal documents differ")
        let read = try? JSONPatch(patch.json)
        try hold(read == patch, "a patch that was written reads as another")
        // The second document may itself be a patch; whatever it is, applying it may fail but not break anything.
        guard let given = try? JSONPatch(new), let result = try? given.apply(to: old) else { return }
        try hold((try? JSON(parsing: result.canonicalBytes(), maximumDepth: 512)) == result, "a patch made what cannot be read")
    }

    static let seeds: [[UInt8]] =
        [
            #"{"a":[1,-0.5,1e21,true,false,null],"b":{"é":"\u00e9\n\"\\/","":[]}}"#,
            #" { "z" : 1 , "a" : { "d":[ ] , "c":{} } , "m":"x" } "#,
            #"[9007199254740991,5e-324,1.7976931348623157e308,0.000001,1e-7,100000000000000000000,-0,1.50,1E+2]"#,
            #""\ud83d\ude00\u0000\u001f\b\f\t\r""#, "[[[[[[[[[[]]]]]]]]]]", "{\"\u{E000}\":1,\"\u{10000}\":2,\"ab\":3,\"a\":4}",
            #"{"a":1,"a":2}"#, #""\ud800""#, "[1,]", "123456789012345678", "12345678901234567890e-3", "",
            #"{"a":[1,2,3],"b":{}}"# + "\u{1E}" + #"{"a":[1,3],"c":"x"}"#,
            #"{"a":[1,2],"b":1}"# + "\u{1E}"
                + #"[{"op":"add","path":"/a/-","value":3},{"op":"move","from":"/b","path":"/c"},{"op":"test","path":"/a/0","value":1},"#
                + #"{"op":"copy","from":"/a","path":"/d"},{"op":"replace","path":"/d/0","value":{}},{"op":"remove","path":"/a/1"}]"#,
        ].map { Array($0.utf8) } + [
            [0xEF, 0xBB, 0xBF, 0x31], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xF4, 0x8F, 0xBF, 0xBF, 0x22],
        ]

    static let words = [
        "true", "false", "null", "{\"", "\":", "\",\"", "[]", "{}", "\\u00", "\\ud83d\\ude00", "\\ud800", "\\\"", "\\\\", "e+",
        "E-",
        "1e21", "0.000001", "9007199254740993", "-0", "\u{FEFF}", "é", "\u{E000}", "\u{10000}", "\u{1E}",
        "{\"op\":\"add\",\"path\":\"/",
        "\"value\":", "\"from\":\"/", "~0", "~1", "/-", "move", "test", "copy", "replace", "remove",
    ]
}
