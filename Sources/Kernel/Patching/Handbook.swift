package import LedgerFormat
import PlantedDefects

/// The text of a specialist's handbook at a moment.
package struct Handbook: Sendable, Equatable {
    package let name: HandbookName
    package let bytes: [UInt8]
    package let digest: Digest

    /// Two of them, before and behind a patch, fit into one entry.
    package static let byteCountMax = 64 << 10

    package init(_ name: HandbookName, _ bytes: [UInt8]) throws(HandbookFault) {
        guard bytes.count <= Self.byteCountMax else { throw .tooLarge(name.text) }
        guard String(validating: bytes, as: UTF8.self) != nil else { throw .noText(name.text) }
        self.name = name
        self.bytes = bytes
        digest = Digest(sha256: bytes.span)
    }

    /// The same handbook behind a diff.
    package func applying(_ diff: UnifiedDiff) throws(HandbookFault) -> Handbook {
        let changed: [UInt8]
        do throws(UnifiedDiffFault) { changed = try diff.applied(to: bytes) } catch { throw .diff(error) }
        return try Handbook(name, changed)
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension UnifiedDiff {
    /// What it adds is seen by whoever approves it.
    package func checkVisible() throws(HandbookFault) {
        guard !planted(.hiddenTextAccepted) else { return }
        for line in added {
            let text = String(decoding: line.bytes, as: UTF8.self)
            for scalar in text.unicodeScalars where scalar.isHidden && scalar != "\n" && scalar != "\t" {
                throw .hiddenText(scalar.value, line: Brief.text(text))
            }
        }
    }
}
