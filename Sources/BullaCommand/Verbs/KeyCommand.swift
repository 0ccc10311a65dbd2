import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .key, abstract: "List, change and retire the sealing keys.",
        subcommands: [KeyListCommand.self, KeyRotateCommand.self, KeyRetireCommand.self])
}

struct KeyListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show which key sealed what, and which files are there.",
        discussion: """
            Walks over the whole ledger. A key seals from its introduction to the next one's. Its file is needed to verify what it sealed, \
            until the key is retired.

            Example:
              bulla key list
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let (view, history) = try LedgerView.asking(try options.storage()) { view throws(LedgerError) in
            (view, try KeyHistory(view, .system))
        }
        var rows = history.uses.map { Row($0, current: history.current, view.keyring) }
        let named = Set(history.uses.map(\.key))
        // A key that was introduced by the last entry has sealed none yet; one that nothing names is left by a crash.
        for id in try Keyring.ids(in: view.storage) where !named.contains(id) {
            rows.append(Row(unused: id, isArchived: history.archived.contains(id), current: history.current, view.keyring))
        }
        if options.json {
            Output.line(Printable.json(.object(["keys": .array(rows.map(\.json))])))
        } else {
            Output.line("KEY               STATE     ENTRIES                  SINCE                        FILE")
            for row in rows { Output.line(Printable.text(row.text)) }
        }
    }

    private struct Row {
        let id: KeyID
        let use: KeyUse?
        let state: String
        let file: String

        init(_ use: KeyUse, current: KeyID?, _ keyring: Keyring) {
            id = use.key
            self.use = use
            state = use.retiredAt != nil ? "retired" : use.key == current ? "sealing" : "rotated"
            let isHere = keyring.keys[id] != nil
            file = isHere ? "present" : use.retiredAt != nil ? "gone, and not needed" : keyring.absence(of: id)
        }

        init(unused id: KeyID, isArchived: Bool, current: KeyID?, _ keyring: Keyring) {
            self.id = id
            use = nil
            state = id == current ? "sealing" : isArchived ? "archived" : "unused"
            file = keyring.keys[id] != nil ? "present" : keyring.absence(of: id)
        }

        var text: String {
            let range = use.map { "\($0.firstSeq) to \($0.lastSeq)" } ?? "none yet"
            let since = use?.since.description ?? "-"
            return "\(id)  \(state.padded(to: 8))  \(range.padded(to: 23))  \(since.padded(to: 27))  \(file)"
        }

        var json: JSON {
            var object: JSONObject = ["file": .string(file), "key": .string(id.description), "state": .string(state)]
            if let use {
                object["entries"] = .number(Double(use.entryCount))
                object["first"] = .number(Double(use.firstSeq))
                object["last"] = .number(Double(use.lastSeq))
                object["since"] = .string(use.since.description)
                if let seq = use.retiredAt { object["retired"] = .number(Double(seq)) }
            }
            return .object(object)
        }
    }
}

struct KeyRotateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Make a fresh key, and seal with it from now on.",
        discussion: """
            The new key's file is written first; then the old key seals an entry that introduces the new one, which proves itself in it; then \
            HEAD is sealed with the new one. The old key's file stays, because what it sealed is verified with it. Back the new file up.

            Example:
              bulla key rotate --reason "a year has passed"
            """)

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason: String

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
        try session.acquire()
        let result: Result<(old: KeyID, new: KeyID, receipt: Receipt), LedgerError>
        do throws(LedgerError) {
            result = .success(try session.rotateKey(reason: reason))
        } catch {
            result = .failure(error)
        }
        session.release()
        session.sayNotices()
        let (old, new, receipt) = try result.get()
        if options.json {
            Output.line(
                Printable.json(["new": .string(new.description), "old": .string(old.description), "receipt": receipt.json]))
        } else {
            Output.line("key \(new) seals from now on, instead of \(old)")
            Output.line(receipt.line)
        }
    }
}

struct KeyRetireCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire", abstract: "Do without an old key's file.",
        discussion: """
            Verifies the whole ledger, then records that all that the key sealed was right. From then on those entries are proven by the \
            chain behind them, and nobody who finds the old key can seal anything with it.

            Example:
              bulla key retire 3d442c1707a0ad56 --reason "the machine was given away" --destroy
            """)

    @Argument(help: ArgumentHelp("The key's id, as `bulla key list` shows it.", valueName: "key"))
    var key: String

    @Option(help: ArgumentHelp("Why.", valueName: "text"))
    var reason: String

    @Flag(help: "Remove the key's file as well. Its backups are yours to remove.")
    var destroy = false

    @Flag(help: "The key's file is gone for good: only the links behind what it sealed are checked.")
    var gone = false

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        guard let id = KeyID(key) else {
            throw LedgerError(.usage, "\(key) is no key's id, which has 16 lower-case hexadecimal digits")
        }
        var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
        try session.acquire()
        let result: Result<Receipt?, LedgerError>
        do throws(LedgerError) {
            result = .success(try session.retireKey(id, reason: reason, destroying: destroy, isGone: gone))
        } catch {
            result = .failure(error)
        }
        session.release()
        session.sayNotices()
        let receipt = try result.get()
        if options.json {
            Output.line(
                Printable.json(["destroyed": .bool(destroy), "key": .string(id.description), "receipt": receipt?.json ?? .null]))
        } else {
            Output.line(
                "key \(id) \(receipt == nil ? "was retired before" : "is retired")\(destroy ? ", and its file is removed" : "")")
            if let receipt { Output.line(receipt.line) }
        }
    }
}

extension String {
    /// With spaces behind it up to a width.
    fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
