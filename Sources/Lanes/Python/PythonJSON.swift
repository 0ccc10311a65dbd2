/// A JSON value as Python's `json` module reads it: integers of any size, NaN and infinities, lone surrogates, members in the order in
/// which their names first came.
package enum PythonJSON: Sendable {
    case null
    case bool(Bool)
    case integer(PythonInteger)
    case float(Double)
    case text(PythonText)
    case array([PythonJSON])
    case object(PythonObject)
}

/// A dictionary: setting a name that is there keeps its place.
package struct PythonObject: Sendable {
    package private(set) var members: [(name: PythonText, value: PythonJSON)] = []

    package init() {}

    package init(_ members: [(PythonText, PythonJSON)]) {
        for (name, value) in members { self[name] = value }
    }

    /// The value of a name; nil takes it out.
    package subscript(name: PythonText) -> PythonJSON? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((name, value))
            case (nil, nil): break
            }
        }
    }
}

extension PythonObject {
    /// Of members as they were read: of several with the same name the place is the first one's and the value the last one's.
    ///
    /// Many members are looked up in a table, so that a hostile line costs no more than its length.
    init(reading read: [(name: PythonText, value: PythonJSON)]) {
        if read.count < 16 {
            self.init(read.map { ($0.name, $0.value) })
            return
        }
        self.init()
        var places: [PythonText: Int] = [:]
        for member in read {
            if let place = places[member.name] {
                members[place].value = member.value
            } else {
                places[member.name] = members.count
                members.append(member)
            }
        }
    }
}

extension PythonJSON {
    package static func text(_ text: String) -> PythonJSON { .text(PythonText(text)) }

    package var object: PythonObject? {
        if case .object(let object) = self { object } else { nil }
    }

    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// Whether Python's `if` takes it.
    package var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let flag): flag
        case .integer(let integer): !integer.isZero
        case .float(let number): number != 0
        case .text(let text): !text.isEmpty
        case .array(let items): !items.isEmpty
        case .object(let object): !object.members.isEmpty
        }
    }
}
