/// What is fuzzed: a reader of bytes that others may have written, and what must hold for any of them.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// The parser, the writer, the canonicalizer and patches.
    case json
    /// The validator of canonical bytes.
    case canonical
    /// Frames: the chain verifier, resync, torn tails.
    case frames
    /// The file HEAD.
    case head
    /// Drafts.
    case draft

    /// Checks every property for one input.
    package func check(_ input: [UInt8]) throws(BrokenProperty) {
        switch self {
        case .json: try JSONProperties.check(input)
        case .canonical: try CanonicalProperties.check(input)
        case .frames: try FrameProperties.check(input)
        case .head: try HeadProperties.check(input)
        case .draft: try DraftProperties.check(input)
        }
    }

    /// Inputs from which a fuzzer starts.
    package var seeds: [[UInt8]] {
        switch self {
        case .json: JSONProperties.seeds
        case .canonical: CanonicalProperties.seeds
        case .frames: FrameProperties.seeds
        case .head: HeadProperties.seeds
        case .draft: DraftProperties.seeds
        }
    }

    /// Words that inputs consist of.
    package var words: [String] {
        switch self {
        case .json, .canonical: JSONProperties.words
        case .frames: FrameProperties.words
        case .head: HeadProperties.words
        case .draft: DraftProperties.words
        }
    }

    /// Longer inputs find nothing that shorter ones do not, and take longer.
    package var byteCountMax: Int {
        switch self {
        case .frames: 8192
        case .head: 600
        case .json, .canonical, .draft: 2048
        }
    }
}

/// Something that must hold for any input does not hold for this one.
package struct BrokenProperty: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// States a property; what it says is only put together when it is broken.
func hold(_ condition: Bool, _ what: @autoclosure () -> String) throws(BrokenProperty) {
    if !condition { throw BrokenProperty(what()) }
}

extension Result {
    /// What a body that may throw comes to, to be compared.
    init(of body: () throws(Failure) -> Success) {
        do throws(Failure) { self = .success(try body()) } catch { self = .failure(error) }
    }
}
