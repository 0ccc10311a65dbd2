/// A place inside a container, as the coding path shows it: a member's name, or an element's index.
struct JSONCodingKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }

    init(_ index: Int) {
        stringValue = "\(index)"
        intValue = index
    }

    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(intValue) }

    /// Where the standard library keeps what a superclass encodes.
    static var `super`: JSONCodingKey { JSONCodingKey("super") }
}

extension JSONPointer {
    init(_ path: [any CodingKey]) {
        self.init(tokens: path.map(\.stringValue))
    }
}
