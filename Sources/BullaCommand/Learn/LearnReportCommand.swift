import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct LearnReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Tell what came again, how long ago it last did, and who has what to learn.",
        discussion: """
            Of each signature: how many traumas, their state as in `bulla learn list`, how long ago the last one was, and its seq. Then of each actor \
            the newest lessons. The newest 512 signatures and 64 actors are known, with five lessons each; of older ones there is a count.

            Example:
              bulla learn report --json | jq '.signatures[] | {signature, since_seconds}'
            """)

    @OptionGroup var options: LedgerOptions

    func run() throws {
        let fold = try StateReading<Learning>(try options.storage()).fold
        let report = LearningReport(fold.state, at: Environment.system.now())
        if options.json {
            Output.line(Printable.json(.object(report.json(fold.seq))))
        } else {
            for line in report.lines(width: Output.stdoutColumns) { Output.line(line) }
        }
    }
}
