import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat
import SystemPackage

/// What `bulla restore --handbook` does.
struct HandbookRestore {
    let command: RestoreCommand
    let handbook: String

    func run() throws {
        let name = try HandbookName.refusing(handbook)
        let options = command.options
        let house = try ConstitutionHouse(options)
        // Whoever changes nothing reads what he can.
        if command.yes { try house.checkOpen() }
        let kept = try LedgerView.asking(try command.archives.storage(of: options)) { view throws(LedgerError) in
            try KeptHandbook(name, upTo: try command.to.end(in: view, .system), in: view, .system)
        }
        let source = kept.isFound ? "as entry \(kept.act) found it" : "as associates signed it in entry \(kept.act)"
        if let file = command.out { return try write(kept, source, to: file) }
        let shelf = options.shelf(house.actors.articles)
        try shelf.checkFolders(house.actors)
        guard command.yes, let actor = command.actor, let reason = command.reason else {
            return show(kept, source, over: try shelf.look(at: name), receipt: nil)
        }
        guard !kept.isFound else {
            throw LedgerError(
                .refused,
                "nobody has signed the text of \(name) at \(command.to): write it with --out and propose it; nothing was recorded"
            )
        }
        var decider = try Decider(options, command.writer, command.signing)
        decider.archives = try command.archives.storages(of: house.ledger)
        defer { decider.sayNotices() }
        try decider.finishAndTell(shelf)
        let found = try shelf.look(at: name)
        let receipt = try decider.restoreHandbook(to: kept, as: actor, Justification(.resilience, reason), shelf)
        show(kept, source, over: found, receipt: receipt)
    }

    private func write(_ kept: KeptHandbook, _ source: String, to path: String) throws(LedgerError) {
        do {
            let file = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: .init(rawValue: 0o644))
            try file.closeAfter { _ = try file.writeAll(kept.handbook.bytes) }
        } catch {
            throw LedgerError(.inputOutput, "cannot write \(path): \(error)")
        }
        if command.options.json {
            Output.line(Printable.json(.object(json(kept, receipt: nil))))
        } else {
            Output.line(Printable.text("\(path) holds \(kept.handbook.name) \(source)"))
        }
    }

    private func show(_ kept: KeptHandbook, _ source: String, over found: Shelf.Found?, receipt: Receipt?) {
        let text = try? found?.content.get()
        let isText = found == nil || text != nil
        let diff = UnifiedDiff(from: text?.bytes ?? [], to: kept.handbook.bytes).text(of: kept.handbook.name.text)
        if command.options.json {
            var object = json(kept, receipt: receipt)
            object["diff"] = isText ? .string(String(decoding: diff, as: UTF8.self)) : .null
            return Output.line(Printable.json(.object(object)))
        }
        guard found?.digest != kept.handbook.digest else {
            Output.line(Printable.text("\(kept.handbook.name) is \(source): there is nothing to restore"))
            return
        }
        if !isText {
            let what = "what stands there is no text that a handbook can have: all of it is replaced"
            Output.line(receipt == nil ? what : "what stood there was no text that a handbook can have: its SHA-256 is recorded")
        }
        let lines = isText ? String(decoding: diff, as: UTF8.self) : ""
        for line in DiffText.lines(of: lines, isColoured: Output.stdoutColumns != nil) { Output.line(line) }
        if let receipt {
            Output.line(Printable.text("\(kept.handbook.name) is put back \(source)"))
            Output.line(receipt.line)
        } else {
            Output.line("nothing was changed; write it to a file with --out, or put it back with --yes, --reason and --actor")
        }
    }

    private func json(_ kept: KeptHandbook, receipt: Receipt?) -> JSONObject {
        [
            "act": .number(Double(kept.act)), "applied": .bool(receipt != nil), "handbook": .string(kept.handbook.name.text),
            "receipt": receipt?.json ?? .null, "sha256": .string(kept.handbook.digest.description),
            "text": .string(kept.handbook.text),
        ]
    }
}
