import ArgumentParser
import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        .audit,
        abstract: "Check entries by a policy, go on where the last audit stopped, and record the result.",
        discussion: """
            Where `verify` looks and says, `audit` also acts: its result becomes an entry, and damage raises the alert (10). When the \
            time runs out the audit is partial (12), and the next one goes on from there; `bulla status` shows the last full one.

            Policies: boot, 30 s, takes the writer's lock for the ledger's end, where a torn tail is a failure too; fast, 0.3 s; \
            deep, 2 s. With the alert raised already nothing is written, and the code is 21 where nothing is worse.

            Examples:
              bulla audit
              bulla audit --policy deep --budget 600
              while bulla audit; code=$?; [ $code -eq 12 ]; do :; done; (exit $code)
            """)

    @Option(help: ArgumentHelp("boot, fast or deep.", valueName: "name"))
    var policy = "deep"

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Stop after so many seconds, instead of the policy's.", valueName: "seconds"))
    var budget: Double?

    @Flag(help: "Begin at the first entry, wherever the last audit stopped.")
    var fromStart = false

    @Flag(
        help:
            "Members of an entry that format 1 does not know are no failure; neither the position nor a full audit is kept then.")
    var allowExtra = false

    @OptionGroup var writer: WriterOptions
    @OptionGroup var options: LedgerOptions

    func validate() throws {
        guard named != nil else { throw ValidationError("--policy takes boot, fast or deep") }
        if let budget, !(0...1_000_000).contains(budget) { throw ValidationError("--budget takes seconds from 0 to 1000000") }
    }

    private var named: AuditPolicy? { AuditPolicy.all.first { $0.name == policy } }

    func run() async throws {
        guard let named else { preconditionFailure("validated") }
        let environment = Environment.system
        var policy = named.budgeted(budget.map { Int64($0 * 1_000_000) })
        policy.allowsExtra = allowExtra
        var auditor = Auditor(policy, environment)
        auditor.ignoresPosition = fromStart
        let bar = ProgressBar("audit")
        auditor.report = { done, total in bar.update(done, of: total) }
        let walked: Result<AuditFinding, LedgerError>
        do throws(LedgerError) {
            walked = .success(try await auditor.walk(try options.storage()))
        } catch {
            walked = .failure(error)
        }
        bar.finish()
        var finding = try walked.get()
        do throws(LedgerError) {
            let receipt = try record(&finding)
            print(finding, receipt)
        } catch {
            // Whatever kept the result from being recorded, what was found is said; damage under the lock is found too.
            if error.code == .tampered { finding.find(error) }
            print(finding, nil)
            Output.error("bulla: \(Printable.text(error.message))")
            if finding.report.verdict != .tampered { Output.exit(error.code.rawValue) }
        }
        Output.exit(finding.exitCode)
    }

    private func record(_ finding: inout AuditFinding) throws(LedgerError) -> Receipt? {
        guard finding.reaction != .none else { return nil }
        var session = WriterSession(try options.storage(), .system, writer.settings, anchor: options.anchor)
        try session.acquire()
        defer {
            session.release()
            for notice in session.takeNotices() { Output.error("bulla: \(Printable.text(notice))") }
        }
        return try session.record(&finding)
    }

    private func print(_ finding: AuditFinding, _ receipt: Receipt?) {
        for notice in finding.notices { Output.error("bulla: \(Printable.text(notice))") }
        if options.json { printJSON(finding, receipt) } else { printText(finding, receipt) }
    }

    private func printText(_ finding: AuditFinding, _ receipt: Receipt?) {
        let report = finding.report
        Output.line(Printable.text(report.verdictLine))
        Output.line(
            "\(Format.count(report.entryCount)) \(report.entryCount == 1 ? "entry" : "entries") checked in "
                + "\(Format.seconds(finding.microseconds)), from seq \(finding.firstSeq) on")
        if let full = finding.progress?.full, finding.isFull {
            Output.line(
                "full: every entry \(report.firstSeq > 1 ? "from seq \(report.firstSeq) " : "")up to seq \(full.seq) was verified"
                    + (allowExtra ? "; as it allowed unknown members, `bulla status` does not count it" : ""))
        } else if let pass = finding.progress?.pass, receipt != nil, !allowExtra {
            Output.line("the next audit goes on at seq \(pass.place.seq); it is full at seq \(pass.goal)")
        }
        if report.isUnsettledBehind { Output.line("behind it a writer is at work: what he writes is unsettled") }
        if report.head?.alert == true { Output.line("the alert is RAISED: nothing was recorded") }
        if let receipt { Output.line(receipt.line) }
    }

    private func printJSON(_ finding: AuditFinding, _ receipt: Receipt?) {
        var object = finding.summary
        object["alert"] = .bool(finding.report.head?.alert ?? false)
        object["receipt"] = receipt?.json ?? .null
        if let reason = finding.report.reason { object["reason"] = .string(reason) }
        if let pass = finding.progress?.pass, !allowExtra { object["resume"] = .number(Double(pass.place.seq)) }
        Output.line(Printable.json(.object(object)))
    }
}
