import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What every verb takes.
struct LedgerOptions: ParsableArguments {
    static let ledgerHelp = ArgumentHelp("The ledger's directory (default: $BULLA_DIR, or ./.bulla).", valueName: "dir")
    static let jsonHelp: ArgumentHelp = "Print JSON."

    @Option(name: .long, help: Self.ledgerHelp)
    var ledger: String?

    @Flag(name: .long, help: Self.jsonHelp)
    var json = false

    func validate() throws {
        if ledger?.isEmpty == true { throw ValidationError("--ledger names no directory") }
    }

    var path: String { ledger ?? Self.variable("BULLA_DIR") ?? ".bulla" }

    /// The ledger's storage, opened.
    func storage() throws(LedgerError) -> POSIXStorage {
        do throws(StorageError) {
            return try POSIXStorage(path: path, allowedNetworkFileSystem: Self.allowedNetworkFileSystem)
        } catch {
            if error.isNotFound {
                throw LedgerError(
                    .usage, "there is no ledger at \(path); make one with `bulla init`, or name another with --ledger")
            }
            throw LedgerError(error, doing: "cannot open the ledger")
        }
    }

    /// Where what was seen of the ledger is kept, outside its directory; nil when the user wants that not.
    var anchor: AnchorFolder? { AnchorFolder(ledger: path, .system) }

    /// A copy inside the ledger would be a part of what is copied.
    func refuse(inside directory: String, _ what: String) throws(LedgerError) {
        guard let base = UserPlaces.resolved(path), let outer = UserPlaces.resolved(Self.parent(of: directory)) else { return }
        if (outer + [UInt8(ascii: "/")]).starts(with: base + [UInt8(ascii: "/")]) {
            throw LedgerError(.usage, "\(directory) lies inside the ledger; \(what) belongs elsewhere, best on another disk")
        }
    }

    /// What a directory is made in.
    static func parent(of directory: String) -> String {
        (directory.isAbsolutePath ? "/" : "./") + directory.pathParts().dropLast().joined(separator: "/")
    }

    /// Removes what an init or a backup that was killed has left beside one that is being made, with copies of keys in it; tells
    /// what it did, and could not.
    static func removeOrphans(beside storage: POSIXStorage) {
        for orphan in storage.removeOrphans() {
            let what = "\(orphan.path), left by an init or a backup that was stopped,"
            let fate = orphan.obstacle.map { "was not removed: \($0); a copy of the sealing key may lie in it" } ?? "was removed"
            Output.error("bulla: \(Printable.text("\(what) \(fate)"))")
        }
    }

    static var allowedNetworkFileSystem: String? { variable("BULLA_ALLOW_NETWORK_FS") }

    /// An environment variable that is set to something.
    static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}

/// What every verb that writes takes.
struct WriterOptions: ParsableArguments {
    static let help = ArgumentHelp(
        "How long to wait for the ledger's lock before giving up with exit code 75. (default: 10.0)", valueName: "seconds")

    /// Without a default value, to describe which the parser would ask the runtime what a Double is.
    @Option(name: .long, help: Self.help)
    var wait: Double?

    private var seconds: Double { wait ?? 10 }

    func validate() throws {
        guard seconds >= 0, seconds <= 1_000_000 else { throw ValidationError("--wait takes seconds from 0 to 1000000") }
    }

    /// The settings of a verb that commits a few times and is done.
    var settings: WriterSettings {
        var settings = lastingSettings
        // Whoever opens the ledger reads what is filled ahead: were it megabytes, a short verb would do nothing else for as long.
        settings.preallocationByteCountMax = 1 << 16
        return settings
    }

    /// The settings of one that stays.
    var lastingSettings: WriterSettings {
        var settings = WriterSettings()
        settings.lockTimeoutMicroseconds = Int64(seconds * 1_000_000)
        return settings
    }
}

extension WriterSession {
    /// Lock, commit one decision, release: what a one-shot verb does.
    mutating func record(_ drafts: [Draft]) throws(LedgerError) -> Answer {
        try acquire()
        return try finish(drafts)
    }

    /// The same under a lock that is held already.
    mutating func finish(_ drafts: [Draft]) throws(LedgerError) -> Answer {
        let answer = commit([drafts])[0]
        release()
        sayNotices()
        return try answer.get()
    }

    /// Tells what happened that is no error, such as a cut tail.
    mutating func sayNotices() {
        for notice in takeNotices() { Output.error("bulla: \(Printable.text(notice))") }
    }
}
