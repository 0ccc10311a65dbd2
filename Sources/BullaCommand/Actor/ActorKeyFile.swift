import ArgumentParser
import Ledger
import LedgerFormat

/// A private key's file: its owner's alone, as a sealing key's is.
struct ActorKeyFile {
    let path: String

    init(_ path: String) { self.path = path }

    func read() throws(LedgerError) -> ActorSigner {
        guard let status = LogFile.status(of: path) else {
            throw LedgerError(.usage, "there is no key file at \(path); `bulla actor keygen \(path)` makes one")
        }
        guard status.isRegular else {
            throw LedgerError(
                .usage, "\(path) is \(status.isDirectory ? "a directory" : "no regular file"), and a key file is wanted")
        }
        guard status.permissions & 0o077 == 0 else {
            let mode = String(status.permissions, radix: 8)
            throw LedgerError(
                .refused,
                "\(path) is open to others (mode \(mode)), who could speak in the actor's name; chmod 600 it, or make a new key")
        }
        guard let signer = ActorSigner(file: try InputFile(path).all(upTo: 4096)) else {
            throw LedgerError(.usage, "\(path) holds no actor's private key, which is a line bulla-actor-key-v1/ and 64 digits")
        }
        return signer
    }

    /// Takes away a key that was made a moment ago, and is bound to no name.
    func remove() { JournalFile(path).remove() }

    /// Makes a key where nothing stands, durably.
    func make() throws(LedgerError) -> ActorSigner {
        let random = { () -> [UInt8] in
            (0..<ActorSigner.byteCount / 8).flatMap { _ in
                let word = Environment.system.random()
                return (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
            }
        }
        let signer = ActorSigner(seed: random())
        try JournalFile(path).create(signer.fileContents, permissions: 0o600)
        return signer
    }
}

/// What the verbs take that record something in a user's name.
struct SignerOptions: ParsableArguments {
    static let name = NameSpecification.customLong("actor-key")
    static let help = ArgumentHelp("The actor's private key: signs the entry, as an enrolled actor must.", valueName: "file")

    @Option(name: Self.name, help: Self.help)
    var file: String?

    func signer() throws(LedgerError) -> ActorSigner? {
        guard let file else { return nil }
        return try ActorKeyFile(file).read()
    }
}

extension WriterOptions {
    /// The settings with which a session signs what it records.
    func settings(_ signing: SignerOptions) throws(LedgerError) -> WriterSettings {
        var settings = settings
        settings.signer = try signing.signer()
        return settings
    }
}
