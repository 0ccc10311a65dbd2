package import Ledger

/// Why a ledger did not do what was asked.
public struct LedgerFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The verdicts of FORMAT.md §6 and the README; the raw value is the exit code that `bulla` ends with.
    public enum Code: Int32, Sendable {
        /// A check failed.
        case tampered = 10
        /// The sealing key that the chain calls for is absent.
        case unverifiable = 11
        /// A rule said no.
        case refused = 20
        /// The ledger is in alert: it is read, not written.
        case locked = 21
        /// An `id` was used for other content.
        case conflict = 22
        /// Disk, permission or sync; after a failed sync the writer refuses everything until it is opened anew.
        case inputOutput = 30
        /// A bad argument.
        case usage = 64
        /// The writer's lock was not to be had in time.
        case busy = 75
    }

    /// What kind of failure it is.
    public var code: Code
    /// One sentence: what happened, where, what to do.
    public var message: String

    /// For a rule that says no.
    ///
    /// - Parameter message: one sentence.
    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}

extension LedgerFailure {
    package init(_ error: LedgerError) {
        self.init(code: Code(rawValue: error.code.rawValue) ?? .inputOutput, message: error.message)
    }
}

/// Runs what throws the inner floors' error and throws the public one.
func publicly<Result>(_ body: () throws(LedgerError) -> Result) throws(LedgerFailure) -> Result {
    do throws(LedgerError) { return try body() } catch { throw LedgerFailure(error) }
}
