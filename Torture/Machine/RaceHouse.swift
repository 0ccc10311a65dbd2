import Foundation
import Synchronization

/// The directories of a race: a ledger two directories down, copies outside that nobody may write to, and the attacker's things.
struct RaceHouse {
    let place: Workplace
    /// The state at the beginning, which `open` copies.
    private let template: String
    private let receipts: [String]

    /// Where the ledger is.
    var base: String { place.path("house/above/L") }
    /// A copy that links lead to.
    private var victim: String { place.path("outside") }
    private var copy: String { place.path("copy") }
    private var parked: String { place.path("parked") }
    private var prepared: String { place.path("prepared") }
    private let keyName: String
    /// Somebody wrote to the segment outside.
    private let isBaitTouched = Flag()

    init(_ setting: Setting) throws {
        place = try Workplace()
        template = place.path("template")
        let made = try Child.run(setting.bulla, ["init", "--ledger", template])
        let judgement = Judgement(bulla: setting.bulla, ledger: template)
        receipts = made.receipts + (try judgement.append().receipts)
        keyName = try FileManager.default.contentsOfDirectory(atPath: template + "/keys")[0]
        guard receipts.count == 2 else { throw HarnessError("no ledger to begin with: \(made.error)") }
    }

    /// Puts everything up anew; what callers were told before.
    ///
    /// - Parameter isTorn: whether a crash's torn tail is there to be mended.
    func open(isTorn: Bool) throws -> [String] {
        for name in ["house", "outside", "copy", "parked", "prepared"] { place.remove(name) }
        let files = FileManager.default
        for folder in ["house/above", "outside", "copy", "parked", "prepared"] {
            try files.createDirectory(atPath: place.path(folder), withIntermediateDirectories: true)
        }
        for folder in [place.path("house/above"), victim, copy] { try files.copyItem(atPath: template, toPath: folder + "/L") }
        if isTorn {
            for folder in [place.path("house/above"), victim, copy] { try tear(folder + "/L/ledger/00000000000000000001.frames") }
        }
        return receipts
    }

    /// Half a frame behind the last one, as a killed writer leaves it.
    private func tear(_ segment: String) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: segment)))
        let end = (bytes.lastIndex { $0 != 0 } ?? -1) + 1
        bytes.removeSubrange(end...)
        bytes += Array(#"489:{"entry":{"action":"torture.app"#.utf8)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: segment))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    /// The path in a tree whose base is `L`.
    private func path(_ target: RaceTarget, in tree: String) -> String {
        switch target {
        case .head: tree + "/L/HEAD"
        case .key: tree + "/L/keys/" + keyName
        case .segment: tree + "/L/ledger/00000000000000000001.frames"
        case .ledger: tree + "/L/ledger"
        case .keys: tree + "/L/keys"
        case .base: tree + "/L"
        case .above: tree
        }
    }

    /// One swap there and back, with `between` in the middle of it.
    func swap(_ target: RaceTarget, _ disguise: RaceDisguise, _ between: () -> Void) throws {
        let real = path(target, in: place.path("house/above"))
        let (aside, ready) = (parked + "/it", prepared + "/it")
        let bait = try bait(target, disguise, real)
        defer { if let bait { checkBait(bait) } }
        try prepare(disguise, target, at: ready)
        try call("park") { rename(real, aside) }
        if disguise != .nothing { try call("disguise") { rename(ready, real) } }
        between()
        if disguise == .olderCopy {
            // It may have been written to, and stays the copy that it was.
            try call("keep the copy") { rename(real, path(target, in: copy)) }
        } else if target.isDirectory {
            // What the engine made there meanwhile is none of ours.
            if rename(real, prepared + "/gone") == 0 { try? FileManager.default.removeItem(atPath: prepared + "/gone") }
        } else {
            unlink(real)
        }
        try call("put back") { rename(aside, real) }
    }

    /// A segment outside is made like the real one, since an older one is refused for what is missing in it.
    private func bait(_ target: RaceTarget, _ disguise: RaceDisguise, _ real: String) throws -> Data? {
        guard target == .segment, disguise == .symbolicLink || disguise == .hardLink else { return nil }
        let bytes = try Data(contentsOf: URL(fileURLWithPath: real))
        try bytes.write(to: URL(fileURLWithPath: path(target, in: victim)))
        chmod(path(target, in: victim), 0o600)
        return bytes
    }

    private func checkBait(_ bytes: Data) {
        if FileManager.default.contents(atPath: path(.segment, in: victim)) != bytes { isBaitTouched.raise() }
    }

    private func prepare(_ disguise: RaceDisguise, _ target: RaceTarget, at ready: String) throws {
        unlink(ready)
        switch disguise {
        case .symbolicLink: try call("link") { symlink(path(target, in: victim), ready) }
        case .hardLink: try call("link") { link(path(target, in: victim), ready) }
        case .fifo: try call("FIFO") { mkfifo(ready, 0o600) }
        case .regularFile: try Data("something else\n".utf8).write(to: URL(fileURLWithPath: ready))
        case .olderCopy: try call("copy") { rename(path(target, in: copy), ready) }
        case .nothing: break
        }
    }

    private func call(_ what: String, _ body: () -> Int32) throws {
        if body() != 0 { throw HarnessError(what, errno) }
    }

    /// Whether the segment outside was written to since the last call.
    func takeBaitTouched() -> Bool { isBaitTouched.take() }

    /// All that lies outside and must stay as it is, but for the segment, which is a bait.
    func outside() -> [String: Data] {
        var files: [String: Data] = [:]
        for case let file as String in FileManager.default.enumerator(atPath: victim) ?? .init() where !file.hasSuffix(".frames")
        {
            files[file] = FileManager.default.contents(atPath: victim + "/" + file) ?? Data()
        }
        return files
    }

    /// The copy that had a right to be written to, as another ledger of the same name.
    var copiedLedger: String { copy + "/L" }
}

/// Something that one thread says and another asks.
final class Flag: Sendable {
    private let value = Atomic(false)

    func raise() { value.store(true, ordering: .relaxed) }
    func take() -> Bool { value.exchange(false, ordering: .relaxed) }
}
