import ArgumentParser
import CanonicalJSON
import Ledger
import LedgerFormat

struct ActorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .actor,
        abstract: "Bind actors' names to keys, so that nobody else speaks in them.",
        discussion: """
            Who is enrolled signs what it records: append, ingest, record, state, restore and lane take --actor-key FILE. Unsigned entries \
            in its name are refused, whichever way they come, and `bulla verify` checks the signatures.

            Example:
              bulla actor keygen ada.key
              bulla actor enroll user:ada --class operator --key 3b6a27bc…
              bulla append --actor user:ada --actor-key ada.key --action deploy.approve …
            """,
        subcommands: [
            ActorKeygenCommand.self, ActorEnrollCommand.self, ActorRevokeCommand.self, ActorListCommand.self,
            ActorSignCommand.self,
        ])
}

struct ActorKeygenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make an Ed25519 key: the private one goes to a file, the public one is printed.",
        discussion: """
            The file has mode 0600, and nothing is written over. It needs no ledger: make the key where the actor runs, and take only the \
            public key to where it is enrolled.

            Example:
              bulla actor keygen ada.key
            """)

    @Argument(help: ArgumentHelp("The file to be made.", valueName: "file"))
    var file: String

    @Flag(name: .long, help: "Print JSON.")
    var json = false

    func run() throws {
        let signer = try ActorKeyFile(file).make()
        Output.line(
            json ? Printable.json(["file": .string(file), "key": .string(signer.key.description)]) : signer.key.description)
    }
}

struct ActorEnrollCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enroll",
        abstract: "Bind a name to a key: from now on only who has the key speaks in it.",
        discussion: """
            Without --key a fresh key is made, and its private part goes to --key-file (default: the name, with _ for : and /, and .key). \
            The class says how it ranks beside others, as the constitution has it. What was recorded in the name before stays as it is.

            Examples:
              bulla actor enroll specialist:builder --class worker
              bulla actor enroll user:ada --class operator --key 3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29
            """)

    @Argument(help: ArgumentHelp("The actor's name, as kind:name.", valueName: "kind:name"))
    var name: String

    @Option(name: .customLong("class"), help: ArgumentHelp("Its class: letters a-z, digits, _ and -.", valueName: "class"))
    var actorClass: String

    @Option(help: ArgumentHelp("Its public key, in 64 hexadecimal digits.", valueName: "key"))
    var key: String?

    @Option(help: ArgumentHelp("Where a fresh private key goes.", valueName: "file"))
    var keyFile: String?

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason = "an actor is enrolled"

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        if key != nil, keyFile != nil {
            throw ValidationError("--key names a key that there is, --key-file one to be made: give one")
        }
        guard Names.isActor(name), name.utf8.count <= Names.draftByteCount else {
            throw ValidationError(DraftError.actor(name).description)
        }
        guard ActorRoster.isClass(actorClass) else {
            throw ValidationError(
                "\"\(actorClass)\" is no class: letters a-z, digits, _ and -, \(ActorRoster.classByteCountMax) bytes at most")
        }
    }

    func run() throws {
        var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
        let (publicKey, file) = try keyAndFile(&session)
        let result = Result { () throws(LedgerError) in
            try session.acquire()
            defer { session.release() }
            return try session.enroll(name, as: actorClass, publicKey, reason: reason)
        }
        session.sayNotices()
        let receipt: Receipt
        do throws(LedgerError) { receipt = try result.get() } catch {
            // Of an outcome that is unknown the key is kept: the name may be bound to it.
            if let file, error.code != .inputOutput { file.remove() }
            throw error
        }
        if options.json {
            Output.line(
                Printable.json([
                    "actor": .string(name), "class": .string(actorClass), "file": file.map { .string($0.path) } ?? .null,
                    "key": .string(publicKey.description), "receipt": receipt.json,
                ]))
        } else {
            Output.line(Printable.text("\(name) is enrolled as \(actorClass) with the key \(publicKey)"))
            if let file {
                Output.line(Printable.text("its private key is in \(file.path): give it to the actor, and to nobody else"))
            }
            Output.line(receipt.line)
        }
    }

    private func keyAndFile(_ session: inout WriterSession) throws(LedgerError) -> (ActorKey, ActorKeyFile?) {
        if let key {
            do throws(ActorKeyFault) { return (try ActorKey(key), nil) } catch {
                throw LedgerError(error == .form ? .usage : .refused, "the key \(key) is refused: \(error)")
            }
        }
        let file = ActorKeyFile(keyFile ?? String(name.map { $0 == ":" || $0 == "/" ? "_" : $0 }) + ".key")
        return (try file.make().key, file)
    }
}

struct ActorRevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Take an actor's key back: nobody speaks in its name until it is enrolled anew.",
        discussion: """
            What it signed before stays valid. The key cannot be enrolled again, under whatever name.

            Example:
              bulla actor revoke specialist:builder --reason "its machine was stolen"
            """)

    @Argument(help: ArgumentHelp("The actor's name.", valueName: "kind:name"))
    var name: String

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason: String

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
        let result = Result { () throws(LedgerError) in
            try session.acquire()
            defer { session.release() }
            return try session.revoke(name, reason: reason)
        }
        session.sayNotices()
        let receipt = try result.get()
        if options.json {
            Output.line(Printable.json(["actor": .string(name), "receipt": receipt.json]))
        } else {
            Output.line(Printable.text("the key of \(name) is revoked; what it signed before stays valid"))
            Output.line(receipt.line)
        }
    }
}

struct ActorListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show who is and was enrolled, with which key, from which entry on.",
        discussion: """
            Example:
              bulla actor list
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let actors = try LedgerView.asking(try options.storage()) { view throws(LedgerError) in try view.actors() }
        if options.json {
            Output.line(Printable.json(["actors": actors.json]))
            return
        }
        guard !actors.enrolments.isEmpty else {
            Output.line("nobody is enrolled: anyone who can write may use any name")
            return
        }
        let width = actors.enrolments.map { Cells.width(Printable.text($0.actor)) }.max() ?? 0
        for enrolment in actors.enrolments {
            let name = Printable.text(enrolment.actor)
            let gap = String(repeating: " ", count: width - Cells.width(name))
            let until = enrolment.revoked > 0 ? ", revoked by entry \(enrolment.revoked)" : ""
            Output.line(
                "\(name)\(gap)  \(enrolment.key)  \(enrolment.actorClass), enrolled by entry \(enrolment.enrolled)\(until)")
        }
    }
}
