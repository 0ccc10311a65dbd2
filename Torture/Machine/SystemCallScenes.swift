import Foundation

/// What is done to which ledger while a system call is hindered.
struct SystemCallScene: Sendable {
    enum Verb: String, Sendable, CaseIterable {
        case initialization = "init"
        case append, roll, recovery, rotation, retirement, repair, backup, change, restoration, snapshot, archive, lane
        case adoption, release, patching

        /// It folds the documents, and may leave a snapshot of them.
        var isStateful: Bool { [.change, .restoration, .snapshot, .archive].contains(self) }
        /// Associates signed it.
        var isSigned: Bool { [.adoption, .release, .patching].contains(self) }
        /// An entry of the ledger before may stand in another one.
        var followsRepair: Bool { [.repair, .archive, .release].contains(self) }
    }

    var verb: Verb
    /// The ledger before, copied for each case; nil where there is none.
    var template: String?
    /// What callers were told before.
    var receipts: [String]
    /// The command, with `%` for the ledger's path.
    private var command: [String]
    /// The calls that the command makes when nothing hinders it.
    private(set) var calls: [SystemCall] = []

    func command(_ ledger: String) -> [String] { command.map { $0.replacing("%", with: ledger) } }
}

/// The scenes of the stage, with the ledgers that they begin from.
struct SystemCallScenes: Sendable {
    private(set) var all: [SystemCallScene] = []
    let shortWrites: ShortWrites
    /// Keeps the templates.
    let place: Workplace

    init(_ setting: Setting) throws {
        place = try Workplace()
        shortWrites = try ShortWrites(in: place)
        let append = [setting.bulla] + Judgement.appendArguments + ["--ledger", "%"]
        try add(.initialization, nil, [], [setting.bulla, "init", "--ledger", "%"])
        let plain = try ledger("plain", setting, entryCount: 3)
        try add(.append, place.path("plain"), plain, append)
        // Its next entry does not fit any more, so that the first commit rolls, and the second goes to the new segment.
        try add(
            .roll, place.path("plain"), plain,
            [setting.torture, "subject", "roll", "%", "--segment-bytes", "1800", "--entries", "2"])
        let torn = try tornLedger(setting)
        try add(.recovery, place.path("torn"), torn, append)
        let key = [setting.bulla, "key"]
        let reason = ["--reason", "torture", "--ledger", "%"]
        try add(.rotation, place.path("plain"), plain, key + ["rotate"] + reason)
        let (keyed, old) = try rotatedLedger(setting)
        try add(.retirement, place.path("keyed"), keyed, key + ["retire", old, "--destroy"] + reason)
        let survivors = try damagedLedger(setting)
        try add(.repair, place.path("damaged"), survivors, [setting.bulla, "repair", "--yes", "--ledger", "%"])
        try add(.backup, place.path("plain"), plain, [setting.bulla, "backup", "%" + Self.copySuffix, "--ledger", "%"])
        try addStateful(setting)
        try addLane(setting)
        try addGovernance(setting)
    }

    /// The documents of the stateful scenes are `{"n":1}` or `{"n":2}`, before and after.
    private mutating func addStateful(_ setting: Setting) throws {
        var receipts = try ledger("stateful", setting, entryCount: 1)
        let path = place.path("stateful")
        func set(_ value: Int) -> [String] { ["state", "set", "/n", String(value), "--actor", "process:torture"] }
        for value in [1, 2] {
            receipts += try Child.run(setting.bulla, set(value) + ["--ledger", path]).receipts
            guard value == 1 else { break }
            guard try Child.run(setting.bulla, ["snapshot", "create", "--ledger", path]).code == 0 else {
                throw HarnessError("no snapshot to begin with")
            }
        }
        guard receipts.count == 4 else { throw HarnessError("no stateful ledger to begin with: \(receipts)") }
        let bulla = [setting.bulla]
        try add(
            .restoration, path, receipts,
            bulla + ["restore", "--to", "3", "--yes", "--actor", "process:torture", "--reason", "torture", "--ledger", "%"])
        try add(.snapshot, path, receipts, bulla + ["snapshot", "create", "--ledger", "%"])
        try add(
            .archive, path, receipts,
            bulla + ["archive", "--before", "9999", "--to", "%" + Self.archiveSuffix, "--yes", "--ledger", "%"])
        // With a snapshot that is none any more: the change puts it away first.
        try place.copy(path, to: "forged")
        let name = try FileManager.default.contentsOfDirectory(atPath: path + "/snapshots").first { $0.hasPrefix("documents-") }
        guard let name else { throw HarnessError("no snapshot to forge") }
        let file = URL(fileURLWithPath: place.path("forged") + "/snapshots/" + name)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count / 2] ^= 1
        let handle = try FileHandle(forWritingTo: file)
        try handle.write(contentsOf: bytes)
        try handle.close()
        try add(.change, place.path("forged"), receipts, bulla + set(1) + ["--ledger", "%"])
    }

    /// A lane whose lease is expired, and that is taken over: one decision of two entries.
    private mutating func addLane(_ setting: Setting) throws {
        var receipts = try ledger("lane", setting, entryCount: 1)
        let path = place.path("lane")
        let lane = { (arguments: [String]) in [setting.bulla, "lane"] + arguments + ["--actor", "process:torture", "--ledger"] }
        for command in [
            lane(["declare", "api", "--tree", "src/api", "--grace", "1ms"]), lane(["acquire", "api", "--ttl", "1ms"]),
        ] { receipts += try Child.run(command[0], command.dropFirst() + [path]).receipts }
        guard receipts.count == 4 else { throw HarnessError("no lane to begin with: \(receipts)") }
        try add(.lane, path, receipts, lane(["acquire", "api", "--ttl", "1h"]) + ["%"])
    }

    /// A ledger whose key was changed once; its receipts, and the id of the old key.
    private func rotatedLedger(_ setting: Setting) throws -> (receipts: [String], old: String) {
        var receipts = try ledger("keyed", setting, entryCount: 2)
        let path = place.path("keyed")
        guard let file = try FileManager.default.contentsOfDirectory(atPath: path + "/keys").first else {
            throw HarnessError("no key to retire")
        }
        receipts += try Child.run(setting.bulla, ["key", "rotate", "--reason", "torture", "--ledger", path]).receipts
        receipts += try Judgement(bulla: setting.bulla, ledger: path).append().receipts
        guard receipts.count == 5 else { throw HarnessError("no rotated ledger to begin with: \(receipts)") }
        return (receipts, String(file.prefix(16)))
    }

    /// Where a backup of the ledger goes.
    static let copySuffix = "-copy"
    /// Where its old entries go.
    static let archiveSuffix = "-archive"

    /// One bit of the third of six entries is another, and the alert is raised; the receipts of the others.
    private func damagedLedger(_ setting: Setting) throws -> [String] {
        var receipts = try ledger("damaged", setting, entryCount: 5)
        try damage("damaged", entry: 3)
        let audit = try Child.run(setting.bulla, ["audit", "--ledger", place.path("damaged")])
        guard audit.code == 10 else { throw HarnessError("a damaged ledger passes: \(audit.output)") }
        receipts.remove(at: 2)
        return receipts
    }

    /// One bit of an entry becomes another.
    func damage(_ name: String, entry: Int) throws {
        let segment = URL(fileURLWithPath: place.path(name) + "/ledger/00000000000000000001.frames")
        var bytes = try Data(contentsOf: segment)
        let lineFeeds = bytes.indices.filter { bytes[$0] == 0x0A }
        bytes[lineFeeds[entry - 1] - 200] ^= 1
        let handle = try FileHandle(forWritingTo: segment)
        try handle.write(contentsOf: bytes)
        try handle.close()
    }

    /// Makes a ledger; its receipts.
    private func ledger(_ name: String, _ setting: Setting, entryCount: Int) throws -> [String] {
        let judgement = Judgement(bulla: setting.bulla, ledger: place.path(name))
        var receipts = try Child.run(setting.bulla, ["init", "--ledger", place.path(name)]).receipts
        for _ in 0..<entryCount { receipts += try judgement.append().receipts }
        guard receipts.count == entryCount + 1 else { throw HarnessError("no ledger to begin with: \(receipts)") }
        return receipts
    }

    /// A hundred bytes of an entry that was never acknowledged stand behind all that HEAD vouches for.
    private func tornLedger(_ setting: Setting) throws -> [String] {
        let receipts = try ledger("torn", setting, entryCount: 2)
        let path = place.path("torn")
        let (head, segment) = (path + "/HEAD", path + "/ledger/00000000000000000001.frames")
        func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
        func dataEnd() throws -> Int { (try bytes(segment).lastIndex { $0 != 0 } ?? -1) + 1 }
        let (before, end) = (try bytes(head), try dataEnd())
        guard try Judgement(bulla: setting.bulla, ledger: path).append().code == 0 else { throw HarnessError("no entry to tear") }
        truncate(segment, end + Self.tornByteCount)
        try before.write(to: URL(fileURLWithPath: head))
        chmod(head, 0o600)
        return receipts
    }

    static let tornByteCount = 100

    mutating func add(
        _ verb: SystemCallScene.Verb, _ template: String?, _ receipts: [String], _ command: [String]
    ) throws {
        let work = try Workplace()
        if let template { try work.copy(template, to: "L") }
        if verb == .patching { try Self.writeHandbook(in: work) }
        var scene = SystemCallScene(verb: verb, template: template, receipts: receipts, command: command)
        let (trace, result) = try Strace(place: work).trace(scene.command(work.path("L")))
        guard result.code == 0 else { throw HarnessError("\(verb.rawValue), undisturbed: \(result.error)") }
        scene = scene.knowing(trace.calls)
        all.append(scene)
        if verb == .roll, try LedgerFiles(work.path("L")).segmentCount < 2 { throw HarnessError("nothing rolled") }
    }
}

extension SystemCallScene {
    fileprivate func knowing(_ calls: [SystemCall]) -> SystemCallScene {
        var scene = self
        scene.calls = calls
        return scene
    }

    init(verb: Verb, template: String?, receipts: [String], command: [String]) {
        self.verb = verb
        self.template = template
        self.receipts = receipts
        self.command = command
    }
}
