import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        .verify,
        abstract: "Check every entry: form, order, links, hashes, seals, and HEAD.",
        discussion: """
            Writes nothing, ever. Prints the verdict with its place: intact (0), torn as by a crash, behind all that HEAD vouches for (0), \
            tampered (10), unverifiable without the key (11), partial (12). tools/verify_ledger.py is an independent judge with the same words.

            Examples:
              bulla verify --threads 2
              bulla verify --receipt mail.txt --receipt commit.txt
              bulla verify --resync
              bulla verify --archive /mnt/archive/ledger
            """)

    @Option(help: ArgumentHelp("How many threads verify.", valueName: "n"))
    var threads = 1

    @Option(parsing: .upToNextOption, help: ArgumentHelp("Files with receipts, in any text around them.", valueName: "file"))
    var receipt: [String] = []

    @Option(parsing: .unconditional, help: ArgumentHelp("Stop after so many seconds.", valueName: "seconds"))
    var budget: Double?

    @Option(help: ArgumentHelp("Begin at this entry, as a partial result says.", valueName: "seq"))
    var from: UInt64 = 1

    @Option(help: ArgumentHelp("A key file to check with, instead of the ledger's own; one for each key.", valueName: "file"))
    var key: [String] = []

    @Flag(help: "Of a damaged ledger, go on behind the damage, and say what survives and what does not.")
    var resync = false

    @Option(help: ArgumentHelp("With --resync: give up after so many damages.", valueName: "n"))
    var maxSkips = 100

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard (1...100_000).contains(maxSkips) else { throw ValidationError("--max-skips takes 1 to 100000") }
        guard (1...256).contains(threads) else { throw ValidationError("--threads takes 1 to 256") }
        guard from >= 1 else { throw ValidationError("--from takes a seq, from 1 on") }
        if let budget, !(0...1_000_000).contains(budget) { throw ValidationError("--budget takes seconds from 0 to 1000000") }
    }

    func run() async throws {
        let environment = Environment.system
        var audit = Audit(environment)
        audit.threadCount = threads
        audit.budget = budget.map { Int64($0 * 1_000_000) }
        audit.firstSeq = from
        audit.receipts = try receipts()
        let bar = ProgressBar("verify")
        audit.progress = { done, total in bar.update(done, of: total) }
        let start = environment.uptime()
        let result: Result<AuditReport, LedgerError>
        do throws(LedgerError) {
            let keyring = try keyring()
            let storage: any Storage =
                if let overlay = try archives.overlay(of: options) { overlay } else { try options.storage() }
            let watch = try AnchorWatch(options.anchor, storage, keyring: keyring)
            var report = try await audit.run(storage, keyring: keyring)
            try await compareArchives(&report, storage, keyring)
            try compare(&report, with: watch)
            result = .success(report)
        } catch {
            result = .failure(error)
        }
        bar.finish()
        let report = try result.get()
        let duration = environment.uptime() - start
        let survey = try survey(behind: report)
        if options.json { printJSON(report, duration, survey) } else { printText(report, duration) }
        if let survey, !options.json { printText(survey) }
        Output.exit(report.exitCode)
    }

    /// What lies in an archive is what was recorded of it, byte for byte.
    private func compareArchives(
        _ report: inout AuditReport, _ storage: any Storage, _ keyring: Keyring?
    ) async throws(LedgerError) {
        guard !archives.archive.isEmpty else { return }
        if report.verdict == .tampered {
            let found = try await ArchiveHole.find(
                behind: report, options.storage(), archives.storages(of: nil), keyring, .system)
            if let found { throw found.refusal }
        }
        guard report.verdict == .intact || report.verdict == .torn else { return }
        let check = try LedgerView.asking(storage, keyring: keyring) { view throws(LedgerError) in
            try ArchiveCheck(.system).run(view, try archives.storages(of: nil))
        }
        report.archivedSegments = check
        if let failure = check.failure, failure.code == .refused { throw failure }
        guard let failure = check.failure, let place = failure.place else { return }
        report.verdict = .tampered
        (report.place, report.reason) = (place, failure.message)
    }

    /// A walk that is not done, or found damage, has nothing to say of what was seen before.
    private func compare(_ report: inout AuditReport, with watch: AnchorWatch?) throws(LedgerError) {
        guard let watch, report.verdict != .partial, report.verdict != .tampered else { return }
        let verdict = try watch.verdict(lastSeq: report.lastSeq, .system)
        report.add(verdict, ledger: options.path)
        if case .alarm = verdict { return }
        if let message = verdict.message(ledger: options.path) { Output.error("bulla: \(Printable.text(message))") }
    }

    func keyring() throws(LedgerError) -> Keyring? {
        guard !key.isEmpty else { return nil }
        var files: [[UInt8]] = []
        for path in key { files.append(try InputFile(path).all(upTo: 1 << 12)) }
        return try Keyring(files: files)
    }

    private func receipts() throws(LedgerError) -> [Receipt] {
        var all: [Receipt] = []
        for path in receipt {
            let text = String(decoding: try InputFile(path).all(upTo: 64 << 20), as: UTF8.self)
            let found = Receipt.all(in: text)
            guard !found.isEmpty else { throw LedgerError(.usage, "\(path) holds no receipt") }
            // One that somebody mangled may be the one that counts.
            guard Receipt.mentions(in: text) <= found.count else {
                throw LedgerError(.usage, "\(path) holds a receipt that cannot be read: it is cut or changed")
            }
            all += found
        }
        return all
    }

    private func printText(_ report: AuditReport, _ duration: Int64) {
        Output.line(Printable.text(report.verdictLine))
        Output.line(
            "\(Format.count(report.entryCount)) \(report.entryCount == 1 ? "entry" : "entries") checked in \(Format.seconds(duration))"
        )
        if let tip = report.tip { Output.line("last: " + Receipt(tip).line) }
        for finding in report.receipts {
            let verdict = finding.failure.map { "FAILED: \($0)" } ?? (finding.isArchived ? "archived, not checked" : "holds")
            Output.line("receipt of seq \(finding.receipt.seq): \(verdict)")
        }
        if report.isUnsettledBehind { Output.line("behind it a writer is at work: what he writes is unsettled") }
        if report.verdict == .torn {
            Output.line(
                "the tail is torn as a crash leaves it, behind all that HEAD vouches for; "
                    + (report.head?.alert == true ? "the release" : "the next writer") + " keeps it as evidence and cuts it")
        }
        if let check = report.archivedSegments, check.failure == nil {
            Output.line(
                "archived segments: \(check.checkedCount) of \(check.namedCount) are here, with the digests that were recorded")
        }
        if report.verdict == .intact, report.firstSeq > 1 {
            Output.line("what lies before seq \(report.firstSeq) was archived; with --archive DIR it is checked too")
        }
        if from > 1 { Output.line("only from seq \(from) on: what lies before was not checked") }
        if let seq = report.resumeSeq { Output.line(Printable.text("go on with: \(command(from: seq))")) }
        if report.head?.alert == true { Output.line("the alert is RAISED: nothing is written until it is released") }
    }

    /// What goes on behind a partial result, for the same ledger, archives and keys.
    private func command(from seq: UInt64) -> String {
        let more = archives.archive.flatMap { ["--archive", Checkup.word($0)] } + key.flatMap { ["--key", Checkup.word($0)] }
        let place = options.ledger.map { ["--ledger", Checkup.word($0)] } ?? []
        return (["bulla verify --from \(seq)"] + more + place).joined(separator: " ")
    }

    private func printJSON(_ report: AuditReport, _ duration: Int64, _ survey: Survey?) {
        var object: JSONObject = [
            "verdict": .string(report.verdict.rawValue), "segment": .string(report.place.segmentName),
            "offset": .number(Double(report.place.offset)), "seq": .number(Double(report.place.seq)),
            "entries": .number(Double(report.entryCount)), "microseconds": .number(Double(duration)),
            "from": .number(Double(from)), "alert": .bool(report.head?.alert ?? false),
            "unsettled": .bool(report.isUnsettledBehind),
        ]
        if let reason = report.reason { object["reason"] = .string(reason) }
        if let tip = report.tip { object["tip"] = Receipt(tip).json }
        object["first"] = .number(Double(report.firstSeq))
        object["before"] = .string(report.firstSeq > 1 ? "unchecked" : "nothing")
        if let seq = report.archivedBy { object["archived_by"] = .number(Double(seq)) }
        if let check = report.archivedSegments {
            object["archive"] = ["checked": .number(Double(check.checkedCount)), "named": .number(Double(check.namedCount))]
        }
        if let seq = report.resumeSeq { object["resume"] = .number(Double(seq)) }
        object["receipts"] = .array(
            report.receipts.map {
                [
                    "receipt": $0.receipt.json, "failure": $0.failure.map { .string($0) } ?? .null,
                    "archived": .bool($0.isArchived),
                ]
            })
        if let survey { object["resync"] = json(survey) }
        Output.line(Printable.json(.object(object)))
    }
}
