import CanonicalJSON
import LedgerFormat

extension JSONTape {
    /// The value whose token is at `index`, as a tree.
    ///
    /// - Parameter bytes: what the tape was read from.
    func value(at index: Int, of bytes: Span<UInt8>) -> PythonJSON {
        let token = tokens[index]
        if isPassedOver(index) { return PythonJSON(reread: token.range, of: bytes) }
        switch token.kind {
        case .null: return .null
        case .yes: return .bool(true)
        case .no: return .bool(false)
        case .notANumber: return .float(.nan)
        case .infinity: return .float(.infinity)
        case .negativeInfinity: return .float(-.infinity)
        case .integer: return .integer(integer(token.range, of: bytes))
        case .float: return .float(float(token.range, of: bytes))
        case .plainText, .escapedText: return .text(text(of: token, in: bytes))
        case .array:
            var items: [PythonJSON] = []
            var item = index + 1
            while item < token.next {
                items.append(value(at: item, of: bytes))
                item = tokens[item].next
            }
            return .array(items)
        case .object:
            var members: [(name: PythonText, value: PythonJSON)] = []
            var name = index + 1
            while name < token.next {
                members.append((text(of: tokens[name], in: bytes), value(at: name + 1, of: bytes)))
                name = tokens[name + 1].next
            }
            return .object(PythonObject(reading: members))
        }
    }

    /// Whether the token is this text.
    @inline(__always)
    func isText(_ token: Token, _ literal: StaticString, in bytes: Span<UInt8>) -> Bool {
        if token.kind == .plainText {
            return token.range.count == literal.utf8CodeUnitCount && bytes.holds(literal, at: token.range.lowerBound)
        }
        return token.kind == .escapedText && text(of: token, in: bytes) == PythonText(literal.description)
    }

    private func integer(_ range: Range<Int>, of bytes: Span<UInt8>) -> PythonInteger {
        let text = bytes.copy(range)
        let isNegative = text.first == UInt8(ascii: "-")
        return PythonInteger(isNegative: isNegative, digits: isNegative ? text.dropFirst() : text[...])
    }

    /// Beyond the range of a double it is an infinity.
    private func float(_ range: Range<Int>, of bytes: Span<UInt8>) -> Double {
        Double(bytes.text(range)) ?? .nan
    }

    func text(of token: Token, in bytes: Span<UInt8>) -> PythonText {
        guard token.kind == .escapedText else { return PythonText(bytes.copy(token.range)) }
        return unescaped(bytes.extracting(token.range))
    }

    /// The escapes were checked when the tape was read.
    private func unescaped(_ bytes: Span<UInt8>) -> PythonText {
        var text = PythonText([])
        var offset = 0
        while offset < bytes.count {
            guard bytes[offset] == UInt8(ascii: "\\") else {
                text.bytes.append(bytes[offset])
                offset += 1
                continue
            }
            let letter = bytes[offset + 1]
            guard letter == UInt8(ascii: "u") else {
                // Of the letters that JSON allows only the slash is not canonical.
                text.bytes.append(CanonicalEscape.byte(forLetter: letter) ?? letter)
                offset += 2
                continue
            }
            let unit = Self.unit(in: bytes, at: offset + 2)
            offset += 6
            if 0xD800..<0xDC00 ~= unit, let low = Self.lowSurrogate(in: bytes, at: offset) {
                text.append(codePoint: 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
                offset += 6
            } else {
                text.append(codePoint: unit)
            }
        }
        return text
    }

    private static func lowSurrogate(in bytes: Span<UInt8>, at offset: Int) -> UInt32? {
        guard offset + 6 <= bytes.count, bytes[offset] == UInt8(ascii: "\\"), bytes[offset + 1] == UInt8(ascii: "u") else {
            return nil
        }
        let unit = unit(in: bytes, at: offset + 2)
        return 0xDC00..<0xE000 ~= unit ? unit : nil
    }

    private static func unit(in bytes: Span<UInt8>, at offset: Int) -> UInt32 {
        var unit: UInt32 = 0
        for index in offset..<offset + 4 {
            let digit = UInt32(bytes[index])
            unit = unit << 4 | (digit & 0xF) + (digit > 0x39 ? 9 : 0)
        }
        return unit
    }
}
