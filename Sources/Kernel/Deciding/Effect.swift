package import CanonicalJSON

/// What a decision wants done in the world: it runs once the decision is durable, and its result becomes an entry.
///
/// That it was asked for lies in the same decision (`effect.requested`), so that a crash between the two leaves a request without a
/// result: nobody knows whether it ran, and nobody runs it again unasked.
package struct Effect: Sendable {
    /// What it does, in lower-case words joined by dots.
    package var name: String
    /// What it does it with; recorded.
    package var arguments: JSONObject
    package var perform: @Sendable () -> Result

    package init(_ name: String, _ arguments: JSONObject, perform: @escaping @Sendable () -> Result) {
        self.name = name
        self.arguments = arguments
        self.perform = perform
    }

    /// What came of it.
    package enum Result: Sendable, Equatable {
        case done(JSONObject)
        case failed(String)
    }
}

extension Effect {
    static let requested = "effect.requested"
    static let finished = "effect.finished"
}
