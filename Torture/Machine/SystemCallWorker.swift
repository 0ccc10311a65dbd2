import DurableFiles
import Foundation

/// Does one fault to one ledger, and then looks whether everything holds and goes on.
struct SystemCallWorker: Worker {
    let setting: Setting
    let scenes: SystemCallScenes
    let cases: [SystemCalls.Case]
    let place: Workplace
    /// Whether nobody has seen a disk of this shape yet.
    let isNew: @Sendable ([String]) -> Bool

    /// Starting Python takes its time.
    static let casesPerJudgement = 6

    private var ledger: String { place.path("L") }
    private var judgement: Judgement { Judgement(bulla: setting.bulla, ledger: ledger) }
    private var archive: String { ledger + SystemCallScenes.archiveSuffix }
    private var handbook: String { place.path(SystemCallScenes.handbook) }
    private var strace: Strace { Strace(place: place) }

    func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws {
        guard number < cases.count else { return }
        let (this, scene) = (cases[number], scenes.all[cases[number].scene])
        let what = "\(scene.verb.rawValue), \(this.fault) at \(this.call.name) \(this.call.number)"
        try reset(scene)
        let outcome = try disturb(this, scene)
        // Which of its threads a backup's calls come from is not the same each time, and each counts its own.
        if !outcome.hasFired, scene.verb == .backup { return }
        guard outcome.hasFired else {
            let end = "the program ended with \(outcome.result.code): \(outcome.result.error)"
            return tally.fail("\(what): it did not happen, and \(end)")
        }
        // Each thread counts its own calls, and the first thread's are the loader's.
        if outcome.result.error.contains("error while loading shared libraries") { return }
        if outcome.hitTheQueues { return }
        tally.done += 1
        count(this, scene, outcome, &tally)
        if let complaint = complaint(this, outcome.result) { tally.fail("\(what): \(complaint)") }
        let receipts = scene.receipts + outcome.result.receipts
        if case .killTwice = this.fault { return try killAgain(scene, receipts, what, &tally) }
        for complaint in try aftermath(scene, receipts, isSampled: number % Self.casesPerJudgement == 0) {
            tally.fail("\(what): \(complaint)")
        }
    }

    private func reset(_ scene: SystemCallScene) throws {
        place.remove("L")
        place.remove("L" + SystemCallScenes.copySuffix)
        place.remove("L" + SystemCallScenes.archiveSuffix)
        if let template = scene.template { try place.copy(template, to: "L") }
        if scene.verb == .patching { try SystemCallScenes.writeHandbook(in: place) }
    }

    private func disturb(_ this: SystemCalls.Case, _ scene: SystemCallScene) throws -> Strace.Outcome {
        let command = scene.command(ledger)
        return switch this.fault {
        case .kill, .killTwice: try strace.kill(command, at: this.call)
        case .fail(let error): try strace.fail(command, at: this.call, with: error)
        case .short(let byteCount, let thenFull):
            try scenes.shortWrites.run(
                command.map { $0 == setting.bulla ? setting.shimmableBulla : $0 }, at: this.call.number, byteCount: byteCount,
                thenFull: thenFull, in: place)
        }
    }

    private func count(
        _ this: SystemCalls.Case, _ scene: SystemCallScene, _ outcome: Strace.Outcome, _ tally: inout Tally
    ) {
        switch this.fault {
        case .kill, .killTwice: tally.fire("SIGKILL in \(scene.verb.rawValue)")
        case .fail, .short: tally.fire(this.fault.kind)
        }
        if outcome.result.code == 30 { tally.fire("refused with 30") }
        if outcome.result.error.contains("HEAD was not replaced and lags") { tally.fire("HEAD lags") }
    }

    /// What the hindered program itself did wrong.
    private func complaint(_ this: SystemCalls.Case, _ result: Child.Result) -> String? {
        let words: String
        switch this.fault {
        case .kill, .killTwice: return nil
        case .fail("EIO"): words = "Input/output error"
        case .fail, .short(_, true): words = "No space left on device"
        case .short(_, false): return result.code == 0 ? nil : "a short write is to be completed: \(result.code) \(result.error)"
        }
        switch result.code {
        case 0:
            // What fails without harm is said, but for a sync nobody may keep quiet.
            let isSync = this.call.name == "fdatasync" || this.call.name == "fsync"
            let isTold = result.error.contains("HEAD was not replaced and lags") || result.error.contains(words)
            return isSync && !isTold ? "a failed sync was not told" : nil
        case 30 where result.error.contains(words): return nil
        // A call that strace fails is not made: the descriptor, and a lock on it, stays with the process, as after no real failure.
        case 75 where this.call.name == "close": return nil
        default: return "it ended with \(result.code): \(result.error)"
        }
    }

    /// After a fault: what was acknowledged is there, the verdict is good, and the next writer goes on.
    private func aftermath(_ scene: SystemCallScene, _ before: [String], isSampled: Bool) throws -> [String] {
        var receipts = before
        if scene.verb == .initialization, access(ledger, F_OK) != 0 {
            if !receipts.isEmpty { return ["the ledger was acknowledged and is not there"] }
            let made = try Child.run(setting.bulla, ["init", "--ledger", ledger])
            guard made.code == 0 else { return ["init again: \(made.error)"] }
            receipts += made.receipts
        } else if scene.verb == .repair {
            let again = try Child.run(setting.bulla, ["repair", "--yes", "--ledger", ledger])
            guard again.code == 0 else { return ["the next repair: \(again.code) \(again.error)"] }
        } else if scene.verb.isSigned {
            let again = try runAgain(scene)
            guard isDone(again, scene) else { return ["the same again: \(again.code) \(again.error)"] }
            receipts += again.receipts
            if let complaint = try signedComplaint(scene) { return [complaint] }
        }
        if let complaint = try judgement.verifierComplaint(receipts: receipts, in: place, archive: archive) {
            return [complaint]
        }
        if scene.verb == .backup, let complaint = try backupComplaint() { return [complaint] }
        if scene.verb.isStateful, let complaint = try stateComplaint() { return [complaint] }
        if scene.verb == .lane, let complaint = try laneComplaint() { return [complaint] }
        let next = try judgement.append()
        guard next.code == 0 else { return ["the next append: \(next.code) \(next.error)"] }
        if scene.verb == .archive, let complaint = try archiveComplaint(scene) { return [complaint] }
        return try finalComplaints(scene, receipts + next.receipts, isSampled: isSampled)
    }

    private func finalComplaints(_ scene: SystemCallScene, _ receipts: [String], isSampled: Bool) throws -> [String] {
        let files = try LedgerFiles(ledger)
        // Behind a repair an entry may stand in another, which only a verifier finds.
        var complaints =
            scene.verb.followsRepair
            ? [try judgement.verifierComplaint(receipts: receipts, in: place, archive: archive)].compactMap { $0 }
            : files.complaints(receipts: receipts)
        if scene.verb == .recovery { complaints += try evidenceComplaints(files) }
        if isSampled { complaints += [try judgement.judgeComplaint()].compactMap { $0 } }
        return complaints
    }

    /// The documents are those before or those after, and what snapshots say is what the entries fold to.
    private func stateComplaint() throws -> String? {
        let state = try Child.run(setting.bulla, ["state", "get", "/n", "--ledger", ledger])
        guard state.code == 0, ["1\n", "2\n"].contains(state.output) else {
            return "the state: \(state.code) \(state.output) \(state.error)"
        }
        let check = try Child.run(setting.bulla, ["snapshot", "verify", "--ledger", ledger])
        return check.output.contains("fold to another state") || ![0, 10].contains(check.code)
            ? "the snapshots: \(check.code) \(check.output) \(check.error)" : nil
    }

    private func runAgain(_ scene: SystemCallScene) throws -> Child.Result {
        let command = scene.command(ledger)
        return try Child.run(command[0], Array(command.dropFirst()))
    }

    /// Whether what associates signed is carried out: now, or before.
    private func isDone(_ result: Child.Result, _ scene: SystemCallScene) -> Bool {
        if result.code == 0 { return true }
        return scene.verb.isSigned && result.code == 20
            && ["carried out before", "not in alert"].contains { result.error.contains($0) }
    }

    /// That there is no alert the verifier says.
    private func signedComplaint(_ scene: SystemCallScene) throws -> String? {
        switch scene.verb {
        case .adoption:
            let shown = try Child.run(setting.bulla, ["constitution", "show", "--ledger", ledger])
            let isAdopted = try shown.output == String(contentsOfFile: scenes.constitution, encoding: .utf8)
            return isAdopted ? nil : "the constitution: \(shown)"
        case .patching:
            let text = try String(contentsOfFile: place.path(SystemCallScenes.handbook), encoding: .utf8)
            return text == SystemCallScenes.handbookTexts.after ? nil : "the handbook: \(text)"
        default: return nil
        }
    }

    /// The lane has one lease: the expired one, or that of who took it over.
    private func laneComplaint() throws -> String? {
        let list = try Child.run(setting.bulla, ["lane", "list", "--json", "--ledger", ledger])
        let lanes = try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [String: Any]
        let leases = lanes?["leases"] as? [Any]
        return leases?.count == 1 ? nil : "the lanes: \(list.code) \(list.output) \(list.error)"
    }

    /// Whoever archives again brings it to its end: the ledger has one segment then, and the state is what it was.
    private func archiveComplaint(_ scene: SystemCallScene) throws -> String? {
        let again = try runAgain(scene)
        guard again.code == 0 else { return "the next archive: \(again.code) \(again.error)" }
        let files = try LedgerFiles(ledger)
        return files.segmentCount == 1 ? try stateComplaint() : "the next archive left \(files.segmentCount) segments"
    }

    /// A backup that has its name is whole.
    private func backupComplaint() throws -> String? {
        let copy = ledger + SystemCallScenes.copySuffix
        guard access(copy, F_OK) == 0 else { return nil }
        let check = try Child.run(setting.bulla, ["backup", "--check", copy, "--ledger", ledger])
        return check.code == 0 ? nil : "the backup: \(check.code) \(check.output.prefix(300)) \(check.error.prefix(300))"
    }

    /// The torn tail is kept once, whole, and one entry names it.
    private func evidenceComplaints(_ files: LedgerFiles) throws -> [String] {
        let folder = ledger + "/quarantine"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasSuffix(".new") }
        let sizes = try names.map { try Data(contentsOf: URL(fileURLWithPath: folder + "/" + $0)).count }
        let cuts = files.entries.count { $0.action == "ledger.tail_cut" }
        let isRight = names.allSatisfy { $0.hasSuffix(".bin") } && sizes == [SystemCallScenes.tornByteCount] && cuts == 1
        return isRight ? [] : ["the evidence: \(names) of \(sizes) bytes, named by \(cuts) entries"]
    }
}

// A second kill
extension SystemCallWorker {
    /// Kills the next writer too, at each of its changing calls, unless the disk is one that was seen; then one runs undisturbed.
    private func killAgain(
        _ scene: SystemCallScene, _ receipts: [String], _ what: String, _ tally: inout Tally
    ) throws {
        guard isNew([scene.verb.rawValue] + (try shape())) else { return }
        try keep(scene)
        let next =
            scene.verb == .archive || scene.verb.isSigned
            ? scene.command(ledger)
            : [setting.bulla] + (scene.verb == .repair ? ["repair", "--yes"] : Judgement.appendArguments) + ["--ledger", ledger]
        let (trace, undisturbed) = try strace.trace(next)
        guard isDone(undisturbed, scene) else { return tally.fail("\(what): the next \(next[1]): \(undisturbed.error)") }
        for (index, call) in trace.calls.enumerated() where call.isChange {
            try bringBack(scene)
            let outcome = try strace.kill(next, at: call)
            guard outcome.hasFired else {
                tally.fail("\(what), then a kill at \(call.name) \(call.number) that did not happen")
                continue
            }
            tally.done += 1
            tally.fire("second SIGKILL")
            let complaints = try aftermath(
                scene, receipts + outcome.result.receipts, isSampled: index % Self.casesPerJudgement == 0)
            for complaint in complaints { tally.fail("\(what), then a kill at \(call.name) \(call.number): \(complaint)") }
        }
    }

    private func keep(_ scene: SystemCallScene) throws {
        try place.copy(ledger, to: "once")
        if access(archive, F_OK) == 0 { try place.copy(archive, to: "once-archive") } else { place.remove("once-archive") }
        if scene.verb == .patching { try place.copy(handbook, to: "once-handbook") }
    }

    private func bringBack(_ scene: SystemCallScene) throws {
        try place.copy(place.path("once"), to: "L")
        let kept = place.path("once-archive")
        let name = "L" + SystemCallScenes.archiveSuffix
        if access(kept, F_OK) == 0 { try place.copy(kept, to: name) } else { place.remove(name) }
        if scene.verb == .patching { try place.copy(place.path("once-handbook"), to: SystemCallScenes.handbook) }
    }

    /// What a disk holds, but for times, random names and what depends on them.
    private func shape() throws -> [String] {
        var shape: [String] = []
        for case let file as String in FileManager.default.enumerator(atPath: ledger) ?? .init() {
            guard let bytes = FileManager.default.contents(atPath: ledger + "/" + file) else { continue }
            let end = (bytes.lastIndex { $0 != 0 } ?? -1) + 1
            let name = file.replacing(#/[0-9a-f]{16}/#, with: "")
            let text = file == "HEAD" ? String(decoding: bytes, as: UTF8.self) : ""
            let seq = text.firstMatch(of: #/"seq":[0-9]+/#).map { String($0.output) } ?? ""
            shape.append("\(name) \(bytes.count) \(end) \(seq)")
        }
        for case let file as String in FileManager.default.enumerator(atPath: archive) ?? .init() {
            shape.append("archive \(file) \(FileManager.default.contents(atPath: archive + "/" + file)?.count ?? 0)")
        }
        return shape.sorted()
    }
}
