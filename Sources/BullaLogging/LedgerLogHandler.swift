public import Logging

/// A handler of swift-log that hands its lines to a ``LedgerLog``.
public struct LedgerLogHandler: LogHandler {
    /// Lines below it are not recorded.
    public var logLevel: Logger.Level = .info
    /// What stands in each of its lines.
    public var metadata: Logger.Metadata = [:]
    /// What is asked for more at each line.
    public var metadataProvider: Logger.MetadataProvider?

    private let log: LedgerLog
    private let label: String
    private let actor: String

    init(_ log: LedgerLog, label: String, actor: String) {
        self.log = log
        self.label = label
        self.actor = actor
    }

    /// One member of `metadata`.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Queues the line; never waits for the disk. What is said closer to the call counts more: the line's metadata, then the
    /// provider's, then the handler's.
    public func log(event: LogEvent) {
        var merged = metadata
        if let metadataProvider { merged.merge(metadataProvider.get()) { $1 } }
        if let metadata = event.metadata { merged.merge(metadata) { $1 } }
        log.record(event, merged, label: label, actor: actor)
    }
}
