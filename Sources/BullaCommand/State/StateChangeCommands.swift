import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct StateSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Put a value at a place, which is made if only its last step is missing.",
        discussion: """
            Examples:
              bulla state set /deploy '{"version":"1.2"}' --actor user:ada --reason "release"
              bulla state set /deploy/notes @notes.json --actor user:ada
              bulla state set /deploy/version '"1.4"' --actor process:ci --base 42
            """)

    @Argument(help: "A JSON Pointer; \"\" is the whole tree, and - behind an array its end.")
    var pointer: JSONPointer

    @Argument(help: ArgumentHelp("The value as JSON, @FILE, or - for stdin.", valueName: "json|@file|-"))
    var value: String

    @OptionGroup var change: ChangeOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let value = try JSON(argument: value, what: "the value")
        try options.change(change, writer) { $0.setting(pointer, to: value) }
    }
}

struct StateRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Take away what stands at a place.",
        discussion: """
            Example:
              bulla state remove /deploy/notes --actor user:ada
            """)

    @Argument(help: "A JSON Pointer.")
    var pointer: JSONPointer

    @OptionGroup var change: ChangeOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        try options.change(change, writer) { _ in JSONPatch([.remove(pointer)]) }
    }
}

struct StatePatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "patch",
        abstract: "Apply a JSON Patch (RFC 6902): all of it or nothing.",
        discussion: """
            Its `test` operations are checked under the ledger's lock, against the state as it is then.

            Example:
              echo '[{"op":"test","path":"/n","value":1},{"op":"replace","path":"/n","value":2}]' | \\
                bulla state patch - --actor process:counter
            """)

    @Argument(help: ArgumentHelp("The patch's file, or - for stdin.", valueName: "file|-"))
    var file: String

    @OptionGroup var change: ChangeOptions
    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let json = try JSON(argument: file == "-" ? "-" : "@" + file, what: "the patch")
        let patch: JSONPatch
        do throws(JSONPatchError) { patch = try JSONPatch(json) } catch {
            throw LedgerError(.usage, "the patch is refused: \(error)")
        }
        try options.change(change, writer) { _ in patch }
    }
}

extension LedgerOptions {
    /// Decides one change and prints its receipt, and what was in conflict.
    fileprivate func change(
        _ change: ChangeOptions, _ writer: WriterOptions, _ patch: (Documents) -> JSONPatch
    ) throws(LedgerError) {
        var decider = try Decider(self, writer, change.signing)
        defer { decider.sayNotices() }
        let justification = change.justification
        if let base = change.base {
            let decided = try decider.change(seen: base, reading: change.reads, as: change.actor, justification, patch)
            try ConflictPrinter(json).print(
                ["receipt": decided.receipts[0].json], decided.receipts[0], lost: decided.reply.lost,
                overrode: decided.reply.overrode)
        } else {
            let decided = try decider.decide(on: Documents.self, as: change.actor) { documents, moment throws(LedgerError) in
                try documents.change(by: patch(documents), justification, moment)
            }
            for receipt in decided.receipts {
                Output.line(json ? Printable.json(["receipt": receipt.json]) : receipt.line)
            }
        }
    }
}

extension JSON {
    /// For who forgot them.
    private static func hint(_ bytes: [UInt8]) -> String {
        let isWord = bytes.first.map { (0x41...0x5A).contains($0 & 0xDF) } ?? false
        return isWord ? "; text needs its quotation marks" : ""
    }

    /// Reads a value that is given as JSON text, as @FILE, or as - for stdin.
    fileprivate init(argument: String, what: String) throws(LedgerError) {
        let bytes: [UInt8]
        if argument == "-" || argument.hasPrefix("@") {
            bytes = try InputFile(argument == "-" ? "-" : String(argument.dropFirst())).all(upTo: Limits.payload)
        } else {
            bytes = Array(argument.utf8)
        }
        do throws(JSONError) { self = try JSON(parsing: bytes, maximumDepth: Limits.draftDepth) } catch {
            let location = error.location(in: bytes)
            throw LedgerError(
                .usage,
                "\(what) is no JSON, at line \(location.line), column \(location.column): \(error)\(Self.hint(bytes))"
            )
        }
    }
}
