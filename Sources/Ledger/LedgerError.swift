package import DurableFiles
package import LedgerFormat

/// The exit codes of design §4, without those of a finished audit.
package enum ErrorCode: Int32, Sendable {
    case tampered = 10
    case unverifiable = 11
    case refused = 20
    case locked = 21
    case conflict = 22
    case inputOutput = 30
    case usage = 64
    case busy = 75
}

/// Why a ledger did not do what was asked: one sentence that says what happened, where, and what to do.
package struct LedgerError: Error, Sendable, Equatable, CustomStringConvertible {
    package var code: ErrorCode
    package var message: String
    /// The first bad place, if it is about one.
    package var place: Place?
    package var cause: Cause
    /// The places that are in conflict, with both values.
    package var collisions: [Collision] = []

    /// What is done about it depends on this.
    package enum Cause: Sendable {
        /// The entries themselves, or anything else that the message says.
        case content
        /// A path no longer leads to what was opened.
        case drift
        /// The anchor contradicts the ledger, which is sound in itself.
        case anchor
        /// What was asked for lies in an archive.
        case archived
        /// It left for an archive while it was to be read.
        case overtaken
    }

    package init(_ code: ErrorCode, _ message: String, at place: Place? = nil, _ cause: Cause = .content) {
        self.code = code
        self.message = message
        self.place = place
        self.cause = cause
    }

    package init(_ code: ErrorCode, _ message: String, collisions: [Collision]) {
        self.init(code, message)
        self.collisions = collisions
    }

    package var description: String { message }

    /// A chain that does not verify.
    package init(_ failure: ChainFailure) {
        let code: ErrorCode = if case .laterVersion = failure.reason { .unverifiable } else { .tampered }
        self.init(code, "\(failure.place): \(failure.reason)", at: failure.place)
    }

    /// No repair found the entry.
    init(lost seq: UInt64, in repair: UInt64) {
        self.init(.tampered, "the entry with seq \(seq) was lost in repair \(repair)")
    }

    /// What the storage said. A drift of identity is tampering; a thing that must not stand there is refused.
    package init(_ error: StorageError, doing what: String) {
        switch error.kind {
        case .drift:
            self.init(.tampered, "\(what): \(error)", .drift)
        case .refused: self.init(.refused, "\(what): \(error)")
        case .system, .crashed: self.init(.inputOutput, "\(what): \(error)")
        }
    }
}

/// Runs storage operations and says what they were for when they fail.
package func doing<Result>(_ what: String, _ body: () throws(StorageError) -> Result) throws(LedgerError) -> Result {
    do throws(StorageError) { return try body() } catch { throw LedgerError(error, doing: what) }
}
