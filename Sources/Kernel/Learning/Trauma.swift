package import CanonicalJSON

/// Something that went wrong, as `trauma.recorded` tells it: always in the four sentences, of which some may say that nothing is known yet.
package struct Trauma: Sendable, Equatable {
    package var text: String
    package var findings: Findings
    package var signature: Signature

    package static let recorded = "trauma.recorded"
    static let answered = "trauma.answered"

    package init(_ text: String, _ findings: Findings = Findings(), signature: Signature) {
        self.text = text
        self.findings = findings
        self.signature = signature
    }

    /// It wants an answer.
    package var isOpen: Bool { findings.correction == nil || findings.lesson == nil }

    package var body: JSONObject {
        var body: JSONObject = [
            "correction": .string(findings.correction ?? Findings.noneYet),
            "lesson": .string(findings.lesson ?? Findings.noneYet),
            "open": .bool(isOpen), "root_cause": .string(findings.rootCause ?? Findings.notKnownYet),
            "signature": .string(signature.text), "trauma": .string(text),
        ]
        findings.add(to: &body)
        return body
    }

    /// Of a command that was run and failed: what its entries tell, and no more.
    ///
    /// - Parameters:
    ///   - command: its arguments, redacted as in the entries.
    ///   - started: the seq of the entry before it ran.
    package init(command: [String], _ ending: Ending, signature: Signature? = nil, started: UInt64) {
        text = Brief.text("\(Brief.text(command.joined(separator: " "))) \(ending)")
        self.signature = signature ?? Signature(command: command, ending: ending.word)
        findings = Findings()
        findings.evidence = [started]
    }

    /// How a command failed.
    package enum Ending: Sendable, Equatable, CustomStringConvertible {
        case exit(Int32)
        case signal(Int32)
        case notStarted

        /// In a signature.
        var word: String {
            switch self {
            case .exit(let code): "exit-\(code)"
            case .signal(let number): "signal-\(number)"
            case .notStarted: "not-started"
            }
        }

        package var description: String {
            switch self {
            case .exit(let code): "ended with exit code \(code)"
            case .signal(let number): "was ended by signal \(number)"
            case .notStarted: "could not be started"
            }
        }
    }
}
