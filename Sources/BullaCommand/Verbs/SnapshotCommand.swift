import ArgumentParser
import CanonicalJSON
import DurableFiles
import Kernel
import Ledger

struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        .snapshot,
        abstract: "Keep folded state, so that opening a long ledger stays fast.",
        discussion: """
            Who changes the state makes one when 10,000 entries lie behind the last, and so does `bulla run` (--snapshot-every). A snapshot is a cache: it is sealed, compared with the ledger before it is used, and \
            never overrides it. All of snapshots/ can be removed at any time.

            Examples:
              bulla snapshot create
              bulla snapshot list
              bulla snapshot verify
            """,
        subcommands: [SnapshotCreateCommand.self, SnapshotListCommand.self, SnapshotVerifyCommand.self])
}

struct SnapshotCreateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Write a snapshot of the state as it is now.")

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        var decider = try Decider(options, writer)
        defer { decider.sayNotices() }
        let seq = try decider.snapshot(of: Documents.self)
        let file = SnapshotFolder<Documents>.path(of: seq).description
        Output.line(
            options.json
                ? Printable.json(["file": .string(file), "seq": .number(Double(seq))]) : "snapshot of seq \(seq) in \(file)")
    }
}

struct SnapshotListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the snapshots, and say of each whether the ledger bears it out.")

    @OptionGroup var options: LedgerOptions

    func run() throws {
        try SnapshotReport(try options.storage()).print(json: options.json)
    }
}

struct SnapshotVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare every snapshot with what the ledger folds to; the code is 10 if one says anything else.")

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let storage = try options.storage()
        let report = try SnapshotReport(storage)
        let wrong = try report.contradictions(storage)
        report.print(json: options.json, wrong)
        if let code = report.code(wrong) { Output.exit(code.rawValue) }
    }
}

/// What stands in `snapshots/`.
private struct SnapshotReport {
    struct Row {
        var seq: UInt64
        var snapshot: Snapshot<Documents>?
        var fault: SnapshotFault?
    }

    let rows: [Row]
    private let keyAbsence: String?

    init(_ storage: any Storage) throws(LedgerError) {
        let view = try LedgerView(storage)
        keyAbsence = view.keyAbsence
        let folder = SnapshotFolder<Documents>(storage)
        var rows: [Row] = []
        do throws(StorageError) {
            for seq in try folder.seqs() { rows.append(Row(seq: seq)) }
        } catch {
            throw LedgerError(error, doing: "cannot look for snapshots")
        }
        for index in rows.indices {
            switch folder.load(rows[index].seq, in: view, .system) {
            case .success(let snapshot): rows[index].snapshot = snapshot
            case .failure(let fault): rows[index].fault = fault
            }
        }
        self.rows = rows
    }

    /// The snapshots whose state is not what the entries fold to, from one walk over all of them.
    func contradictions(_ storage: any Storage) throws(LedgerError) -> Set<UInt64> {
        let view = try LedgerView(storage)
        var fold = try Fold<Documents>(beginningOf: view, .system)
        var wrong: Set<UInt64> = []
        for row in rows {
            guard let snapshot = row.snapshot else { continue }
            try fold.advance(in: view, to: FoldEnd(seq: row.seq), .system)
            if fold.state.root != snapshot.state.root || fold.mark != snapshot.mark { wrong.insert(row.seq) }
        }
        return wrong
    }

    /// 10 if somebody must have touched one; 11 if nobody can tell, because the key is absent.
    func code(_ wrong: Set<UInt64>) -> ErrorCode? {
        let isTampered = rows.contains { row in
            guard let fault = row.fault else { return false }
            if case .unreadable = fault { return keyAbsence == nil }
            return !fault.isHonest
        }
        if isTampered || !wrong.isEmpty { return .tampered }
        return keyAbsence == nil || rows.isEmpty ? nil : .unverifiable
    }

    func print(json: Bool, _ wrong: Set<UInt64>? = nil) {
        if rows.isEmpty, !json {
            Output.line("there is no snapshot; changes of the state and `bulla run` make one every 10,000 entries")
        }
        for row in rows {
            let file = SnapshotFolder<Documents>.path(of: row.seq).description
            let fault = row.fault?.description ?? (wrong?.contains(row.seq) == true ? "the entries fold to another state" : nil)
            if json {
                Output.line(
                    Printable.json([
                        "fault": fault.map { .string($0) } ?? .null, "file": .string(file), "seq": .number(Double(row.seq)),
                    ]))
            } else {
                let verdict = fault.map { "ignored: \($0)" } ?? (wrong == nil ? "fits the ledger" : "is what the entries fold to")
                Output.line("\(file)  \(Printable.text(verdict))")
            }
        }
    }
}
