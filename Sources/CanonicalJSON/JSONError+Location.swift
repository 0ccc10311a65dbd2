extension JSONError {
    /// A place in a text as editors name it; both numbers count from 1, columns in code points.
    package struct Location: Equatable, Sendable, CustomStringConvertible {
        package var line: Int
        package var column: Int

        package init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }

        package var description: String { "line \(line), column \(column)" }
    }

    /// The error's place in `bytes`, the same that were read; lines end with a line feed.
    package func location(in bytes: Span<UInt8>) -> Location { Self.location(of: offset, in: bytes) }

    /// The place of a byte in a text.
    package static func location(of offset: Int, in bytes: Span<UInt8>) -> Location {
        var location = Location(line: 1, column: 1)
        for index in 0..<max(0, min(offset, bytes.count)) {
            if bytes[index] == 0x0A {
                location.line += 1
                location.column = 1
            } else if bytes[index] & 0xC0 != 0x80 {
                location.column += 1
            }
        }
        return location
    }

    package func location(in bytes: [UInt8]) -> Location {
        location(in: bytes.span)
    }
}
