import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        .backup,
        abstract: "Copy the ledger while others write, or prove that a copy can be restored.",
        discussion: """
            The copy holds the keys, the evidence, and every entry that HEAD vouches for; it is verified before it gets its name, so \
            that a crash leaves no half backup. Whoever can read it can forge, unless it was made --without-keys. That it was made is \
            recorded in the ledger. To restore: stop the writers, put the copy in the ledger's place (cp -a), then `bulla anchor accept`.

            Examples:
              bulla backup /mnt/usb/ledger-monday
              bulla backup --check /mnt/usb/ledger-monday
            """)

    @Argument(help: ArgumentHelp("The backup's directory; it must not exist yet, unless with --check.", valueName: "dir"))
    var directory: String

    @Flag(help: "Verify a backup, and compare it with the ledger if that is at hand; writes nothing.")
    var check = false

    @Flag(help: "Leave the sealing keys out: the copy proves nothing without them, and nobody can forge with it.")
    var withoutKeys = false

    @Option(help: ArgumentHelp("How many threads verify.", valueName: "n"))
    var threads = 1

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard (1...256).contains(threads) else { throw ValidationError("--threads takes 1 to 256") }
        if directory.isEmpty { throw ValidationError("the backup's directory has no name") }
        if check, withoutKeys { throw ValidationError("--without-keys says how a backup is made, and --check makes none") }
    }

    func run() async throws {
        if check { try await examine() } else { try await make() }
    }

    private func make() async throws(LedgerError) {
        let environment = Environment.system
        let start = environment.uptime()
        let source = try options.storage()
        try options.refuse(inside: directory, "a backup")
        var target = try construct()
        LedgerOptions.removeOrphans(beside: target)
        let bar = ProgressBar("backup")
        let report: Backup.Report
        let doubt: LedgerError?
        do throws(LedgerError) {
            doubt = try settleHead()
            var backup = Backup(environment)
            backup.includesKeys = !withoutKeys
            backup.threadCount = threads
            backup.progress = { done, total in bar.update(done, of: total) }
            report = try await copy(by: backup, from: source, to: &target)
            bar.finish()
        } catch {
            bar.finish()
            target.abandon()
            throw error
        }
        let duration = environment.uptime() - start
        let (receipt, failure) = record(report, duration)
        print(report, duration, receipt)
        for path in report.skipped {
            Output.error("bulla: \(Printable.text(path)) was not copied: it is no regular file")
        }
        if let doubt { warn("the newest entries may be missing, as HEAD could not be brought up to date", doubt) }
        if let failure { warn("the backup was made, but that was not recorded in the ledger", failure) }
        // The copy is sound, and the ledger was found not to be, since.
        if failure?.code == .tampered { throw LedgerError(.tampered, "the ledger itself needs `bulla verify` now") }
        if report.audit.exitCode != 0 { Output.exit(report.audit.exitCode) }
    }

    /// Whoever is overtaken, by an archive or by who destroys a key, begins again with what is left.
    private func copy(
        by backup: Backup, from source: POSIXStorage, to target: inout POSIXStorage
    ) async throws(LedgerError) -> Backup.Report {
        var attemptsLeft = 10
        while true {
            do throws(LedgerError) {
                return try await backup.run(from: source, to: target)
            } catch {
                attemptsLeft -= 1
                guard error.cause == .overtaken, attemptsLeft > 0 else { throw error }
                target.abandon()
                target = try construct()
            }
        }
    }

    private func warn(_ what: String, _ error: LedgerError) {
        Output.error("bulla: \(Printable.text("\(what): \(error.message)"))")
    }

    private func construct() throws(LedgerError) -> POSIXStorage {
        do throws(StorageError) {
            return try POSIXStorage(
                constructing: directory, random: Environment.system.random(),
                allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
        } catch {
            if error.isExisting { throw LedgerError(.refused, "\(directory) exists already; a backup overwrites nothing") }
            throw LedgerError(error, doing: "cannot make a backup")
        }
    }

    /// Lets HEAD vouch for all there is. Who may not write, or finds the ledger busy or in alert, backs up what HEAD vouches for;
    /// returns why.
    private func settleHead() throws(LedgerError) -> LedgerError? {
        do throws(LedgerError) {
            var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
            try session.acquire()
            session.release()
            for notice in session.takeNotices() { Output.error("bulla: \(Printable.text(notice))") }
            return nil
        } catch {
            switch error.code {
            case .tampered, .usage: throw error
            default: return error
            }
        }
    }

    private func record(_ report: Backup.Report, _ duration: Int64) -> (receipt: Receipt?, failure: LedgerError?) {
        do throws(LedgerError) {
            let path = UserPlaces.resolved(directory).map { PathText($0) } ?? PathText(Array(directory.utf8))
            var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
            let draft = try BackupDraft.finished(report, path: path, includesKeys: !withoutKeys, microseconds: duration)
            return (try session.record([draft]).receipts.first, nil)
        } catch {
            return (nil, error)
        }
    }
}

// What is printed
extension BackupCommand {
    private func print(_ report: Backup.Report, _ duration: Int64, _ receipt: Receipt?) {
        if options.json {
            Output.line(
                Printable.json([
                    "alert": .bool(report.head.alert), "bytes": .number(Double(report.byteCount)),
                    "entries": .number(Double(report.audit.entryCount)), "hash": .string(report.head.tip.description),
                    "keys": .bool(!withoutKeys), "ledger": .string(report.head.ledger.description),
                    "microseconds": .number(Double(duration)), "path": .string(directory), "receipt": receipt?.json ?? .null,
                    "segments": .number(Double(report.segmentCount)), "seq": .number(Double(report.head.seq)),
                    "skipped": .array(report.skipped.map { .string($0) }), "verdict": .string(report.audit.verdict.rawValue),
                ]))
            return
        }
        let what =
            "\(Format.count(report.audit.entryCount)) \(report.audit.entryCount == 1 ? "entry" : "entries") (\(Format.bytes(report.byteCount)))"
        let time = Format.seconds(duration)
        Output.line("backed up \(what) to \(Printable.text(directory)) in \(time), and verified the copy")
        Output.line(Printable.text(report.audit.verdictLine))
        if withoutKeys {
            Output.line("the sealing keys are not in it: keep them elsewhere, nothing can be restored without them")
        }
        if report.head.alert { Output.line("the alert is RAISED, in the copy too") }
        if let receipt { Output.line("recorded: \(receipt.line)") }
    }
}
