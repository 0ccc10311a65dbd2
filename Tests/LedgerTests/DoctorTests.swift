import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("The doctor's judgement of facts")
struct DoctorTests {
    private static let now = Timestamp("2026-06-01T00:00:00.000000Z")!
    private static let tip = TestLedger.frames(count: 4).tip

    private static func status(
        _ mode: UInt32, _ kind: FileStatus.Kind = .regular, owner: UInt32 = 7, links: Int = 1, size: Int = 1000
    ) -> FileStatus {
        FileStatus(identity: FileIdentity(volume: 1, file: 1), kind: kind, size: size, linkCount: links, owner: owner, mode: mode)
    }

    private static let keyPath = StoragePath("keys", SealingKey.fileName(TestLedger.key.id))
    private static let segmentPath = SegmentReader.path(ofSegment: 1)

    private func head(alert: Bool = false, tipSeq: UInt64 = 4, tipTime: Timestamp = Timestamp("2026-05-31T00:00:00.000000Z")!)
        -> DoctorFacts.End
    {
        .whole(head: Head(alert: alert, end: 1000, segment: 1, tip: Self.tip), tipSeq: tipSeq, tipTime: tipTime)
    }

    private var healthy: DoctorFacts {
        var facts = DoctorFacts(
            basePath: "/x/L", base: Self.status(0o700, .directory), user: 7, now: Self.now, end: head(),
            syncs: .median(microseconds: 900, count: 20), lastAudit: .at(Self.now), lastAnchor: .at(Self.now))
        facts.volume = VolumeStatus(kind: FileSystemKind("ext4", .disk), freeByteCount: 10 << 30, freeFileCount: 100_000)
        facts.parents = [
            ParentDirectory(path: "/x/L/..", status: Self.status(0o755, .directory, owner: 7)),
            ParentDirectory(path: "/x/L/../..", status: Self.status(0o1777, .directory, owner: 0)),
        ]
        facts.files = [
            .init(Layout.head, Self.status(0o600)), .init(Layout.ledger, Self.status(0o700, .directory)),
            .init(Self.segmentPath, Self.status(0o600)), .init(Layout.keys, Self.status(0o700, .directory)),
            .init(Self.keyPath, Self.status(0o600)),
        ]
        facts.clockIsSynchronised = true
        facts.keyID = TestLedger.key.id
        facts.keyFirstUsed = Timestamp("2026-01-31T00:00:00.000000Z")
        return facts
    }

    /// The findings that are not what they are of a healthy ledger.
    private func ills(_ change: (inout DoctorFacts) -> Void) -> [Finding] {
        var facts = healthy
        change(&facts)
        return Checkup.findings(facts).filter { $0.state != .ok }
    }

    private func expect(
        _ state: Finding.State, _ name: String, _ words: String, _ source: SourceLocation = #_sourceLocation,
        _ change: (inout DoctorFacts) -> Void
    ) {
        let ills = ills(change)
        #expect(ills.count == 1 && ills.first?.name == name && ills.first?.state == state, "\(ills)", sourceLocation: source)
        #expect(ills.first?.found.contains(words) == true, "\(ills)", sourceLocation: source)
        #expect(state == .unknown || ills.first?.remedy?.isEmpty == false, "\(ills)", sourceLocation: source)
    }

    private func expectHealthy(_ source: SourceLocation = #_sourceLocation, _ change: (inout DoctorFacts) -> Void) {
        let ills = ills(change)
        #expect(ills.isEmpty, "\(ills)", sourceLocation: source)
    }

    @Test("a healthy ledger: every check is ok, and each is there once")
    func nothingWrong() {
        let findings = Checkup.findings(healthy)
        #expect(findings.allSatisfy { $0.state == .ok && $0.remedy == nil }, "\(findings.filter { $0.state != .ok })")
        #expect(
            findings.map(\.name) == [
                "file system", "free space", "permissions", "parents", "links", "clock", "syncs", "key", "HEAD", "last audit",
                "anchor",
                "leftovers", "lock",
            ])
    }

    @Test("file systems")
    func fileSystems() {
        func kind(_ name: String, _ nature: FileSystemKind.Nature) -> (inout DoctorFacts) -> Void {
            { $0.volume?.kind = FileSystemKind(name, nature) }
        }
        expect(.problem, "file system", "nfs") { kind("nfs", .network)(&$0) }
        expect(.advice, "file system", "overlay") { kind("overlay", .layered)(&$0) }
        expect(.problem, "file system", "vfat") { kind("vfat", .withoutOwners)(&$0) }
        expect(.advice, "file system", "fuse") { kind("fuse", .unknown)(&$0) }
        let memory = ills(kind("tmpfs", .memory))
        #expect(memory.map(\.name) == ["file system", "syncs"] && memory.map(\.state) == [.problem, .unknown])
        let unknown = ills { $0.volume = nil }
        #expect(unknown.map(\.state) == [.unknown, .unknown])
    }

    @Test("free space, at its borders")
    func space() {
        expect(.problem, "free space", "255 MiB") { $0.volume?.freeByteCount = (256 << 20) - 1 }
        expect(.advice, "free space", "256 MiB") { $0.volume?.freeByteCount = 256 << 20 }
        expect(.advice, "free space", "1023 MiB") { $0.volume?.freeByteCount = (1 << 30) - 1 }
        expectHealthy { $0.volume?.freeByteCount = 1 << 30 }
        expect(.problem, "free space", "15 files") { $0.volume?.freeFileCount = 15 }
        expect(.advice, "free space", "16 files") { $0.volume?.freeFileCount = 16 }
        expectHealthy { $0.volume?.freeFileCount = 1000 }
        expectHealthy { $0.volume?.freeFileCount = nil }
        // 4 entries in 1000 bytes, however much room was made for more.
        var facts = healthy
        func expectMean(_ byteCount: Int) {
            #expect(Checkup.findings(facts)[1].found.hasSuffix("room for about \((10 << 30) / byteCount) more entries"))
        }
        expectMean(250)
        guard let index = facts.files.firstIndex(where: { $0.path == Self.segmentPath }) else { return }
        facts.files[index].status.size = 1 << 20
        expectMean(250)
        // Behind an archive, with a whole segment before HEAD's: entries 3 and 4 in 2000 bytes.
        facts.files[index].path = SegmentReader.path(ofSegment: 3)
        facts.files.append(.init(SegmentReader.path(ofSegment: 4), Self.status(0o600, size: 1 << 20)))
        facts.files[index].status.size = 1000
        facts.end = .whole(
            head: Head(alert: false, end: 1000, segment: 4, tip: Self.tip), tipSeq: 4, tipTime: facts.now)
        expectMean(1000)
    }

    @Test("permissions of the base, the key and the files")
    func permissions() {
        expect(.problem, "permissions", "777") { $0.base.mode = 0o777 }
        expect(.problem, "permissions", "720") { $0.base.mode = 0o720 }
        expect(.advice, "permissions", "755") { $0.base.mode = 0o755 }
        expect(.advice, "permissions", "user 8") { $0.user = 8 }
        for mode in [0o640, 0o604, 0o610] as [UInt32] {
            expect(.problem, "permissions", String(mode, radix: 8)) { $0.files[4].status.mode = mode }
        }
        expect(.problem, "permissions", "write /x/L/HEAD") { $0.files[0].status.mode = 0o602 }
        // What can only be read is no secret.
        expectHealthy { $0.files[0].status.mode = 0o644 }
        expect(.problem, "permissions", "user 9") { $0.files[2].status.owner = 9 }
        let many = ills { facts in
            for index in 1...30 { facts.files.append(.init(StoragePath("quarantine", "x\(index)"), Self.status(0o666))) }
        }
        #expect(many.count == 6 && many.last?.found == "25 more of the same kind" && many.last?.state == .problem)
    }

    @Test("what a remedy gives to the shell is one word, whatever the file's name")
    func shellWords() throws {
        let evil = StoragePath("ledger", "a'; touch x; $(id) '")
        let remedy = try #require(ills { $0.files.append(.init(evil, Self.status(0o666))) }.first?.remedy)
        #expect(remedy == #"chmod go-w '/x/L/ledger/a'\''; touch x; $(id) '\'''"#)
    }

    @Test("parents that others can write")
    func parents() {
        expect(.problem, "parents", "/x/L/..") { $0.parents[0].status.mode = 0o777 }
        expect(.advice, "parents", "group") { $0.parents[0].status.mode = 0o775 }
        expect(.advice, "parents", "user 9") { $0.parents[0].status.owner = 9 }
        expect(.problem, "parents", "/x/L/../..") { $0.parents[1].status.mode = 0o777 }
        expectHealthy { $0.parents[0].status.mode = 0o1777 }
    }

    @Test("links and things that are no files")
    func links() {
        expect(.problem, "links", "2 hard links") { $0.files[0].status.linkCount = 2 }
        expect(.problem, "links", "symbolic link") { $0.files[1].status = Self.status(0o777, .symbolicLink) }
        expect(.problem, "links", "FIFO") { $0.files[2].status.kind = .fifo }
    }

    @Test("the clock")
    func clock() {
        expect(.problem, "clock", "2025-12-31") { facts in
            facts.now = Timestamp("2025-12-31T23:59:59.999999Z")!
            (facts.keyFirstUsed, facts.lastAudit, facts.lastAnchor) = (facts.now, .at(facts.now), .at(facts.now))
        }
        expect(.problem, "clock", "seq 4") { $0.end = head(tipTime: Timestamp(microseconds: Self.now.microseconds + 1)) }
        expectHealthy { $0.end = head(tipTime: Self.now) }
        expect(.advice, "clock", "nobody") { $0.clockIsSynchronised = false }
        expectHealthy { $0.clockIsSynchronised = nil }
    }

    @Test("syncs")
    func syncs() {
        expect(.advice, "syncs", "19 µs") { $0.syncs = .median(microseconds: 19, count: 20) }
        expectHealthy { $0.syncs = .median(microseconds: 20, count: 20) }
        expect(.advice, "syncs", "waits") { $0.syncs = .median(microseconds: 100_001, count: 20) }
        expect(.problem, "syncs", "broken") { $0.syncs = .failed("broken") }
        expect(.unknown, "syncs", "because") { $0.syncs = .skipped("because") }
    }

    @Test("the key: absent, old, younger than its use")
    func key() {
        expect(.problem, "key", "is missing") { facts in
            facts.files.removeLast()
            facts.keyAbsence = "it is missing"
        }
        expect(.problem, "key", "damaged") { $0.keyAbsence = "damaged" }
        expect(.problem, "permissions", "644") { facts in
            facts.files[4].status.mode = 0o644
            facts.keyAbsence = "not looked at"
        }
        let day = Checkup.dayMicroseconds
        func ago(_ days: Int64) -> Timestamp { Timestamp(microseconds: Self.now.microseconds - days * day) }
        expectHealthy { $0.keyFirstUsed = ago(365) }
        expect(.advice, "key", "366 days") { $0.keyFirstUsed = ago(366) }
        expect(.advice, "key", "400 days") { ($0.keyFirstUsed, $0.keyFileTime) = (ago(400), ago(1)) }
        expect(.advice, "key", "400 days") { ($0.keyFirstUsed, $0.keyFileTime) = (ago(1), ago(400)) }
        expectHealthy { $0.keyFirstUsed = ago(-5) }
        expect(.unknown, "key", "first entry") { $0.keyID = nil }
    }

    @Test("HEAD")
    func heads() {
        expect(.problem, "HEAD", "alert") { $0.end = head(alert: true) }
        expect(.problem, "HEAD", "mac") { $0.end = .faultyHead(.mac) }
        expect(.problem, "HEAD", "seq 3 is bad") { $0.end = .unreadable("seq 3 is bad") }
        var lagging = healthy
        lagging.end = head(tipSeq: 9)
        #expect(Checkup.findings(lagging).contains { $0.name == "HEAD" && $0.found.contains("5 entries lie behind") })
    }

    @Test("the last audit and the anchor")
    func lastTimes() {
        let day = Checkup.dayMicroseconds
        func ago(_ microseconds: Int64) -> DoctorFacts.LastTime {
            .at(Timestamp(microseconds: Self.now.microseconds - microseconds))
        }
        for (name, set) in [
            ("last audit", { $0.lastAudit = $1 }), ("anchor", { $0.lastAnchor = $1 }),
        ] as [(String, (inout DoctorFacts, DoctorFacts.LastTime) -> Void)] {
            expect(.advice, name, "7 days") { set(&$0, ago(7 * day)) }
            expectHealthy { set(&$0, ago(7 * day - 1)) }
            expect(.advice, name, "") { set(&$0, .never) }
            expect(.unknown, name, "who knows") { set(&$0, .unknown("who knows")) }
            expect(.advice, name, "not come yet") { set(&$0, ago(-1)) }
        }
    }

    @Test("what was left behind, and who has the lock")
    func leftovers() {
        expect(.advice, "leftovers", "HEAD.new") { $0.files.append(.init(StoragePath("HEAD.new"), Self.status(0o600))) }
        expect(.advice, "leftovers", "doctor.tmp") { $0.files.append(.init(SyncTiming.path, Self.status(0o600))) }
        expect(.advice, "leftovers", "no entry names") {
            $0.files.append(.init(StoragePath("quarantine", "tail-1-500-0123456789abcdef.pending"), Self.status(0o600)))
        }
        expect(.advice, "leftovers", "no segment") {
            $0.files.append(.init(StoragePath("ledger", "1.frames"), Self.status(0o600)))
        }
        expect(.advice, "leftovers", "plan of a repair") { $0.files.append(.init(Layout.repair, Self.status(0o600))) }
        expect(.advice, "leftovers", "/x/.bulla-init-1") { $0.orphans = [Orphan(path: "/x/.bulla-init-1", obstacle: nil)] }
        expect(.advice, "leftovers", "may lie in it; it belongs to user 8") {
            $0.orphans = [Orphan(path: "/x/.bulla-init-1", obstacle: "it belongs to user 8")]
        }
        expectHealthy { $0.lockHolder = LockHolder(process: 5, command: "bulla", isStopped: false) }
        expect(.problem, "lock", "process 5") { $0.lockHolder = LockHolder(process: 5, command: "bulla", isStopped: true) }
    }

    @Test("timing the syncs leaves nothing behind, whatever fails")
    func syncTiming() throws {
        let machine = try SimulatedMachine(count: 2)
        let before = machine.files
        guard case .median(_, let count) = SyncTiming.run(try machine.storage(), machine.environment, count: 5) else {
            Issue.record("no median")
            return
        }
        #expect(count == 5 && machine.files == before)
        #expect(SyncTiming.run(try machine.storage(), machine.environment, count: 0) == .skipped("not asked for"))
        _ = try machine.storage().open(SyncTiming.path, .create)
        guard case .skipped = SyncTiming.run(try machine.storage(), machine.environment, count: 5) else {
            Issue.record("another's file was used")
            return
        }
    }
}
