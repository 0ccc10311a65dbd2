import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

// What `verify --resync` says of a damaged ledger.
extension VerifyCommand {
    /// Nil unless it is asked for, and there is damage to look behind.
    func survey(behind report: AuditReport) throws(LedgerError) -> Survey? {
        guard resync, report.verdict == .tampered || report.verdict == .torn else { return nil }
        var resync = Resync()
        resync.skipCountMax = maxSkips
        return try LedgerView.asking(try options.storage(), keyring: try keyring()) { view throws(LedgerError) in
            try resync.run(view)
        }
    }

    func printText(_ survey: Survey) {
        Output.line("")
        for damage in survey.damages {
            let bytes = damage.byteCount == 0 ? "entries are missing" : "\(Format.count(UInt64(damage.byteCount))) bytes"
            Output.line(Printable.text("damaged: \(damage.start): \(bytes): \(damage.reason)"))
        }
        for run in survey.runs {
            let seqs = run.start.seq == run.tip.seq ? "seq \(run.tip.seq)" : "seq \(run.start.seq) to \(run.tip.seq)"
            Output.line("survives: \(seqs), from segment \(run.start.segmentName), offset \(run.start.offset)")
        }
        Output.line(
            "\(Format.count(survey.entryCount)) sound entries in \(Format.count(UInt64(survey.runs.count))) runs; "
                + (survey.runs.contains(where: \.holdsHead)
                    ? "the last one that HEAD vouches for is among them" : "the last one that HEAD vouches for is not among them")
        )
        if let place = survey.gaveUpAt {
            Output.line("gave up after \(survey.damages.count) damages, at \(place); --max-skips allows more")
        }
    }

    func json(_ survey: Survey) -> JSON {
        let damages = survey.damages.map { damage -> JSON in
            var object = damage.start.json
            object["bytes"] = .number(Double(damage.byteCount))
            object["reason"] = .string(damage.reason)
            object["next"] = damage.next.map { .object($0.json) } ?? .null
            return .object(object)
        }
        let runs = survey.runs.map { run -> JSON in
            var object = run.start.json
            object["entries"] = .number(Double(run.entryCount))
            object["last"] = Receipt(run.tip).json
            object["head"] = .bool(run.holdsHead)
            return .object(object)
        }
        return ["damages": .array(damages), "runs": .array(runs), "gave_up": survey.gaveUpAt.map { .object($0.json) } ?? .null]
    }
}

extension Place {
    fileprivate var json: JSONObject {
        ["segment": .string(segmentName), "offset": .number(Double(offset)), "seq": .number(Double(seq))]
    }
}
