import CanonicalJSON
import Ledger
import LedgerFormat

// What it found, and what it did, or would do.
extension RepairCommand {
    func showInterrupted(_ receipt: Receipt, _ evidence: String) {
        if options.json {
            let interrupted: JSON = ["evidence": .string(evidence), "receipt": receipt.json]
            Output.line(Printable.json(["applied": false, "interrupted": interrupted, "needed": true]))
            return
        }
        Output.line(
            "a repair was interrupted: the mended ledger is in place, seq \(receipt.seq) says how, and only HEAD has to be written"
        )
        Output.line(Printable.text("the damaged ledger is kept in \(evidence)"))
        Output.line(Printable.text("nothing was changed; finish it with: \(command)"))
    }

    func show(_ plan: RepairPlan?, _ outcome: Repair.Outcome?) {
        if options.json {
            var object: JSONObject = ["applied": .bool(outcome?.receipt != nil), "needed": .bool(plan?.isNeeded ?? true)]
            if let plan { object["plan"] = .object(json(plan)) }
            if let evidence = outcome?.evidence { object["evidence"] = .string(evidence) }
            if let receipt = outcome?.receipt { object["receipt"] = receipt.json }
            object["locked"] = .bool(outcome?.staysLocked ?? plan?.awaitsRelease ?? false)
            Output.line(Printable.json(.object(object)))
            return
        }
        if let plan { for line in text(plan) { Output.line(Printable.text(line)) } }
        guard let outcome else {
            if plan?.missingNames != nil {
                Output.line("nothing was changed, and --yes refuses until it is said who signs for the house")
            } else if plan?.missingConsent != nil {
                Output.line("nothing was changed, and --yes refuses until one of these is given")
            } else if plan?.isNeeded == true {
                Output.line(Printable.text("nothing was changed; do it with: \(command)"))
            }
            return
        }
        guard let receipt = outcome.receipt else { return }
        if outcome.plan == nil { Output.line("a repair that was interrupted is now complete") }
        if let evidence = outcome.evidence { Output.line("the damaged ledger is kept in \(evidence)") }
        if outcome.staysLocked {
            let command = "bulla alert release --ledger \(Checkup.word(options.path))"
            Output.line(
                Printable.text(
                    "repaired: seq \(receipt.seq) says how; the house stays locked until its associates sign: \(command)"))
        } else {
            Output.line("repaired: seq \(receipt.seq) says how, and the alert is released")
        }
        Output.line(receipt.line)
        if let message = outcome.anchorMessage { Output.line(Printable.text("but \(message)")) }
    }

    private func text(_ plan: RepairPlan) -> [String] {
        if plan.awaitsRelease {
            return [
                "the ledger is whole up to seq \(plan.prefix.seq): nothing to repair; it is in alert, which its associates release, with "
                    + "bulla alert release --ledger \(Checkup.word(options.path))"
            ]
        }
        guard plan.isNeeded else {
            var lines = ["the ledger is whole up to seq \(plan.prefix.seq), and not in alert: nothing to repair"]
            if let tear = plan.tear {
                lines.append(
                    "behind it, at \(tear.place), lies a write that a crash has torn, of \(tear.byteCount) bytes: never acknowledged; whoever "
                        + "writes next, or repair --yes, keeps it as evidence and cuts it")
            }
            return lines + (plan.anchorMessage.map { ["but \($0)"] } ?? [])
        }
        var lines = [beginning(plan)]
        for damage in plan.damages {
            let range = damage.range
            let next = range.next.map { "seq \($0.seq) is sound again" } ?? "nothing sound follows"
            lines.append("damaged: \(range.start), \(Format.count(UInt64(range.byteCount))) bytes: \(range.reason); \(next)")
        }
        if plan.losesArchive {
            lines.append(
                "WARNING: no sound entry says that what lay before \(beginningLost(plan)) was archived: it counts as LOST, with the state that "
                    + "came of it; if it was archived, stop here and give each directory that it went to: bulla repair --archive DIR"
            )
        }
        if plan.usesArchives {
            lines.append(
                "\(plan.isBehindHole ? "segments behind what was archived are gone" : "the entry that says what was archived is damaged"); the archives given were verified, and it is recorded again that "
                    + "seq 1 to \(plan.firstSeq - 1) went there, with the state behind them")
        }
        for warning in plan.anchorWarnings { lines.append("WARNING: \(warning)") }
        if plan.contradictsHead { lines.append("HEAD vouches for another entry than the chain holds") }
        if case .failure(let fault) = plan.head { lines.append("\(fault): it is written anew") }
        let survivors = plan.survivors
        if survivors.readmittedCount > 0 {
            lines.append(
                "\(Format.count(survivors.readmittedCount)) sound entries behind the damage are re-admitted: "
                    + "\(Format.count(survivors.provenCount)) proven by their links to HEAD, \(Format.count(survivors.unprovenCount)) not"
            )
        }
        if survivors.leftOutCount > 0 {
            lines.append("\(Format.count(survivors.leftOutCount)) sound but doubled or disordered ones are only kept as evidence")
        }
        lines += keyLines(plan)
        lines += associateLines(plan)
        for actor in plan.strangers {
            lines.append(
                "WARNING: \(actor) spoke with a signature, and no sound entry says that it was enrolled: anyone may use that name until "
                    + "it is enrolled again, with bulla actor enroll")
        }
        for seq in plan.lostStatements {
            lines.append(
                "WARNING: seq \(seq) is lost, the first entry of its segment, and no sound entry behind it says who is enrolled: if "
                    + "it enrolled or revoked anybody, do that again; bulla actor list shows who is enrolled then")
        }
        if let gap = plan.gap {
            lines.append(
                "the chain goes on at seq \(plan.seq); of seq \(gap.lowerBound) to \(gap.upperBound), \(Format.count(UInt64(gap.count) - plan.lostCount)) "
                    + "come back; lost, or in the evidence only: \(Format.count(plan.lostCount))"
            )
        }
        if !plan.replacesLedger {
            lines.append("no byte of the ledger has to be replaced: the repair is recorded, and HEAD written")
        }
        if plan.validHead?.alert == true {
            lines.append("the alert is RAISED, and \(whatBecomesOfAlert(plan))")
            if let cause = plan.alertCause { lines.append("it was raised at \(cause.time), because: \(cause.text)") }
        }
        return lines
    }

    private func whatBecomesOfAlert(_ plan: RepairPlan) -> String {
        if plan.missingNames != nil { return "stays so behind the repair if associates are named" }
        return plan.isGoverned ? "stays so behind the repair" : "is released by the repair"
    }

    /// What becomes of those who sign for the house.
    private func associateLines(_ plan: RepairPlan) -> [String] {
        if let advice = plan.missingNames { return ["WARNING: \(advice)"] }
        guard let associates = plan.associatesBehind else {
            return plan.losesAssociates
                ? ["WARNING: nothing sound says whether the ledger had associates, and behind the repair nobody has to sign"] : []
        }
        var lines = plan.losesAssociates ? ["nothing sound says who the associates were: they are those that were given"] : []
        lines += [
            "\(associates.threshold) of \(associates.signers.count) associates must sign before the house opens again"
        ]
        if plan.lostCount > 0 {
            lines.append(
                "what is lost may have changed who they are: whoever signs the release looks whether the keys and the constitution that it names "
                    + "are right; "
                    + "if a removal or a constitution is lost, give the request that was signed for it: --request FILE")
        }
        for act in plan.mending.acts {
            let what = act.request.arguments["key"]?.string ?? act.request.articles?.digest.description
            lines.append(
                "\(act.request.verb.rawValue)\(what.map { " \($0)" } ?? ""): its entry is lost, or has lost its place, and it counts by its signatures"
            )
        }
        for key in plan.mending.withdrawn { lines.append("the key \(key) was removed by an entry that is lost: it stays out") }
        if let threshold = plan.mending.threshold {
            lines.append("an entry that is lost asked for \(threshold) signatures, as what follows it says: so it stays")
        }
        if let lost = plan.lostConstitution {
            lines.append(
                "WARNING: the constitution that entry \(lost.act.seq) adopted counts no more, because what was signed for it, or for an act "
                    + "before it, is lost: give that with --request FILE, or adopt it again behind the release")
        }
        if let advice = plan.missingConsent {
            lines.append("WARNING: \(advice)")
        } else {
            for key in plan.returningAssociates {
                lines.append("WARNING: the key \(key) was removed, and counts again: remove it behind the release")
            }
        }
        return lines
    }

    /// Where the ledger began, as far as its first segment or HEAD tells.
    private func beginningLost(_ plan: RepairPlan) -> String {
        "seq \(plan.firstSeq > 1 ? plan.firstSeq : plan.validHead?.segment ?? 1)"
    }

    private func beginning(_ plan: RepairPlan) -> String {
        if plan.isBehindHole {
            return
                "of what stood behind the archive's last entry, seq \(plan.firstSeq - 1), nothing is left in place: what is sound comes back"
        }
        if plan.prefix.seq == 0 { return "nothing stays in place: of the beginning no entry is sound and proven" }
        let first = plan.losesArchive ? 1 : plan.firstSeq
        if plan.prefix.seq < first { return "not even seq \(first) is sound, the first that was not archived" }
        return "seq \(first) to \(plan.prefix.seq) are sound and stay as they are"
    }

    /// What becomes of entries, and of verifying, because of keys that are not there or no longer called for.
    private func keyLines(_ plan: RepairPlan) -> [String] {
        var lines: [String] = []
        for (key, count) in plan.survivors.foreignCounts.sorted(by: { $0.key.description < $1.key.description }) {
            lines.append(
                "\(Format.count(count)) entries are sealed with key \(key), for which the chain does not call there; "
                    + "whoever has that key may have forged them, and they are only kept as evidence")
        }
        for (key, count) in plan.survivors.keylessCounts.sorted(by: { $0.key.description < $1.key.description }) {
            lines.append(
                "\(Format.count(count)) entries are sealed with key \(key), whose file is not there: nobody can check them, and they "
                    + "are only kept as evidence; if you have a backup of keys/\(key).key, put it in place before you repair")
        }
        for key in plan.retiredKeys.sorted(by: { $0.description < $1.description }) {
            lines.append("key \(key) was retired by an entry behind the damage: that is recorded again")
        }
        for key in plan.absentKeys.sorted(by: { $0.description < $1.description }) {
            lines.append(
                "WARNING: keys/\(key).key is not there, and nothing sound retires that key: the ledger stays unverifiable (11) until the "
                    + "file's backup is put in place, or, if it is gone for good, until: bulla key retire \(key) --gone --reason …"
            )
        }
        if let key = plan.introducedKey {
            lines.append(
                plan.survivors.isLastKeyIntroduced
                    ? "key \(key) seals from there on: the repair introduces it again"
                    : "WARNING: no sound entry introduces key \(key), with which the repair would go on; if keys/\(key).key is not yours, "
                        + "somebody planted it: move that file and HEAD away before you repair")
        }
        return lines
    }

    private func json(_ plan: RepairPlan) -> JSONObject {
        var object: JSONObject = [
            "damages": .array(plan.damages.map(\.json)), "lost": .number(Double(plan.lostCount)),
            "prefix": .number(Double(plan.prefix.seq)), "replaces": .bool(plan.replacesLedger), "seq": .number(Double(plan.seq)),
            "proven": .number(Double(plan.survivors.provenCount)), "unproven": .number(Double(plan.survivors.unprovenCount)),
            "left_out": .number(Double(plan.survivors.leftOutCount)), "alert": .bool(plan.validHead?.alert ?? true),
            "archive_lost": .bool(plan.losesArchive), "archive_recovered": .bool(plan.usesArchives),
        ]
        if let associates = plan.associatesBehind { object["associates"] = associates.json }
        if plan.losesAssociates { object["associates_lost"] = true }
        if !plan.strangers.isEmpty { object["strangers"] = .array(plan.strangers.map { .string($0) }) }
        if let gap = plan.gap {
            object["gap"] = ["first": .number(Double(gap.lowerBound)), "last": .number(Double(gap.upperBound))]
        }
        if case .failure(let fault) = plan.head { object["head"] = .string(fault.description) }
        if let message = plan.anchorMessage { object["anchor"] = .string(message) }
        if !plan.anchorSightings.isEmpty { object["anchor_seen"] = .array(plan.anchorSightings) }
        if !plan.lostStatements.isEmpty { object["actors_lost"] = .array(plan.lostStatements.map { .number(Double($0)) }) }
        for member in plan.keyMembers { object[member.key] = member.value }
        return object
    }
}
