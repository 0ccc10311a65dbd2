import CanonicalJSON
import DurableFiles
import Ledger
import LedgerFormat

// `bulla backup --check DIR`
extension BackupCommand {
    func examine() async throws(LedgerError) {
        let storage: POSIXStorage
        do throws(StorageError) {
            storage = try POSIXStorage(path: directory, allowedNetworkFileSystem: LedgerOptions.allowedNetworkFileSystem)
        } catch {
            if error.isNotFound { throw LedgerError(.usage, "there is no backup at \(directory)") }
            throw LedgerError(error, doing: "cannot open the backup")
        }
        let isNamed = options.ledger != nil || LedgerOptions.variable("BULLA_DIR") != nil
        let original = try original(isNamed: isNamed)
        let environment = Environment.system
        let bar = ProgressBar("check")
        var check = BackupCheck(environment)
        check.threadCount = threads
        check.progress = { done, total in bar.update(done, of: total) }
        let start = environment.uptime()
        let report: BackupCheck.Report
        do throws(LedgerError) {
            let base = try baseStatus(of: storage)
            report = try await check.run(storage, base: base, original: original, mustMatch: isNamed)
            bar.finish()
        } catch {
            bar.finish()
            throw error
        }
        print(report, environment.uptime() - start)
        Output.exit(report.exitCode)
    }

    private func baseStatus(of storage: POSIXStorage) throws(LedgerError) -> FileStatus {
        do throws(StorageError) { return try storage.baseStatus() } catch {
            throw LedgerError(error, doing: "cannot look at the backup")
        }
    }

    /// The ledger that was named, which must be there; or `./.bulla`, if it is there.
    private func original(isNamed: Bool) throws(LedgerError) -> POSIXStorage? {
        if isNamed { return try options.storage() }
        return try? options.storage()
    }

    private func print(_ report: BackupCheck.Report, _ duration: Int64) {
        if options.json { return printJSON(report, duration) }
        Output.line(Printable.text(report.audit.verdictLine))
        Output.line("\(Format.count(report.audit.entryCount)) entries checked in \(Format.seconds(duration))")
        if let tip = report.audit.tip { Output.line("last: " + Receipt(tip).line) }
        for objection in report.objections { Output.line("FAILED: " + Printable.text(objection.message)) }
        if let comparison = report.comparison {
            Output.line(comparison.line(isDamaged: report.audit.verdict == .tampered))
        } else if report.exitCode == 0 {
            Output.line("not compared with the ledger itself: it is not at hand; name it with --ledger")
        }
        Output.line(report.exitCode == 0 ? "it can be restored" : "it cannot be restored as it is")
    }

    private func printJSON(_ report: BackupCheck.Report, _ duration: Int64) {
        var object: JSONObject = [
            "entries": .number(Double(report.audit.entryCount)), "microseconds": .number(Double(duration)),
            "offset": .number(Double(report.audit.place.offset)), "restorable": .bool(report.exitCode == 0),
            "segment": .string(report.audit.place.segmentName), "seq": .number(Double(report.audit.place.seq)),
            "verdict": .string(report.audit.verdict.rawValue),
        ]
        if let reason = report.audit.reason { object["reason"] = .string(reason) }
        if let tip = report.audit.tip { object["tip"] = Receipt(tip).json }
        object["objections"] = .array(
            report.objections.map { ["code": .number(Double($0.code.rawValue)), "message": .string($0.message)] })
        let isDamaged = report.audit.verdict == .tampered
        object["original"] = report.comparison.map { $0.json(isDamaged: isDamaged) } ?? .null
        Output.line(Printable.json(.object(object)))
    }
}

extension BackupCheck.Comparison {
    /// - Parameter isDamaged: what the backup holds behind the compared entries is not known.
    fileprivate func line(isDamaged: Bool) -> String {
        let path = Printable.text(path)
        if isDamaged {
            return
                "only seq \(Format.count(compared.lowerBound)) to \(Format.count(compared.upperBound)) of the copy could be compared: "
                + "the ledger at \(path) holds them"
        }
        if missingCount == 0 { return "the ledger at \(path) has the same last entry" }
        return "the ledger at \(path) holds this history; it is \(Format.count(missingCount)) "
            + "\(missingCount == 1 ? "entry" : "entries") further, at seq \(Format.count(lastSeq))"
    }

    fileprivate func json(isDamaged: Bool) -> JSON {
        [
            "path": .string(path), "seq": .number(Double(lastSeq)),
            "compared": ["first": .number(Double(compared.lowerBound)), "last": .number(Double(compared.upperBound))],
            "missing": isDamaged ? .null : .number(Double(missingCount)),
        ]
    }
}
