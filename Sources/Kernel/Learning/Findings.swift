import CanonicalJSON
package import Ledger
import LedgerFormat

/// What is found out about a trauma, with it or later; what is nil is not known yet.
package struct Findings: Sendable, Equatable {
    package var rootCause: String?
    package var correction: String?
    package var lesson: String?
    /// What contributed to it.
    package var factors: [String] = []
    /// Seqs of entries that show it.
    package var evidence: [UInt64] = []
    /// Whose lesson it is, as `kind:name`; nil for who had the trauma.
    package var owner: String?

    package init(rootCause: String? = nil, correction: String? = nil, lesson: String? = nil) {
        self.rootCause = rootCause
        self.correction = correction
        self.lesson = lesson
    }

    /// What stands for a root cause that is not known.
    static let notKnownYet = "not known yet"
    /// What stands for a correction or a lesson that is not there.
    package static let noneYet = "none yet"

    /// A text at most, in bytes; ten of them and all factors fit into an entry, whatever their characters.
    package static let textByteCountMax = 4 << 10
    package static let factorCountMax = 16
    package static let evidenceCountMax = 64
}

extension Findings {
    /// - Throws: `usage` for what no entry may say.
    package func check() throws(LedgerError) {
        for (name, text) in [("root cause", rootCause), ("correction", correction), ("lesson", lesson)] {
            if let text { try Self.check(text, name) }
        }
        guard factors.count <= Self.factorCountMax else {
            throw LedgerError(.usage, "\(factors.count) factors are given, and \(Self.factorCountMax) are allowed")
        }
        for factor in factors { try Self.check(factor, "factor") }
        guard evidence.count <= Self.evidenceCountMax else {
            throw LedgerError(.usage, "\(evidence.count) pieces of evidence are given, and \(Self.evidenceCountMax) are allowed")
        }
        if let owner {
            guard Names.isActor(owner), owner.utf8.count <= Names.draftByteCount else {
                throw LedgerError(.usage, "the owner \"\(owner)\" is no actor: write kind:name, such as specialist:builder")
            }
        }
    }

    static func check(_ text: String, _ name: String) throws(LedgerError) {
        guard text.utf8.contains(where: { $0 > 0x20 }) else {
            throw LedgerError(.usage, "the \(name) is empty: say it, or leave it out")
        }
        guard text.utf8.count <= textByteCountMax else {
            throw LedgerError(.usage, "the \(name) has \(text.utf8.count) bytes, and \(textByteCountMax) are allowed")
        }
        guard text != notKnownYet, text != noneYet else {
            throw LedgerError(.usage, "\"\(text)\" stands for a \(name) that is not there: leave it out")
        }
    }

    /// What an entry says besides the three sentences.
    func add(to body: inout JSONObject) {
        if !factors.isEmpty { body["factors"] = .array(factors.map { .string($0) }) }
        if !evidence.isEmpty { body["evidence"] = .array(evidence.map { .number(Double($0)) }) }
        if let owner { body["owner"] = .string(owner) }
    }
}
