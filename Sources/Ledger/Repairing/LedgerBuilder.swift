import CanonicalJSON
import DurableFiles
import LedgerFormat
import PlantedDefects

/// Builds segments in a directory beside the ledger: a verified prefix, and what is sealed behind it.
///
/// Nobody reads the directory before it takes the ledger's place, so nothing is durable before `finish`.
struct LedgerBuilder {
    private let storage: any Storage
    private let directory: StoragePath
    private let segmentByteCount: Int
    private let now: @Sendable () -> Timestamp
    /// Everything up to it was durable before the building began.
    private let synced: UInt64
    private var keys: [KeyID: SealingKey]
    private var writer: FrameWriter
    private var file: any StorageFile
    private var segment: UInt64
    private var end: Int
    /// Who is enrolled: the first entry of each segment says it.
    private var actors: ActorRoster
    private var mustState = false

    private static let blockByteCount = 4 << 20

    /// Copies the prefix.
    ///
    /// - Parameter actors: who is enrolled behind it; the entry that says so is the next one.
    init(
        _ prefix: RepairPlan.Prefix, _ actors: ActorRoster, of ledger: LedgerID, key: SealingKey, from reader: SegmentReader,
        to directory: StoragePath,
        _ settings: WriterSettings, _ environment: Environment
    ) throws(StorageError) {
        storage = reader.storage
        self.directory = directory
        segmentByteCount = settings.segmentByteCount
        now = environment.now
        synced = prefix.seq
        keys = [key.id: key]
        writer = FrameWriter(after: prefix.tip ?? ChainTip(emptyLedger: ledger, key: key.id), synced: synced, key: key)
        segment = prefix.end.segment
        end = prefix.end.offset
        for earlier in reader.segments where earlier < prefix.end.segment {
            let whole = try Self.copy(earlier, upTo: nil, from: reader, to: directory)
            if !planted(.builtCopyUnsynced) { try whole.synchronize() }
        }
        file = try Self.copy(segment, upTo: end, from: reader, to: directory)
        self.actors = actors
        if !actors.isEmpty, end > 0 { try beginSegment(behind: prefix.seq) }
    }

    private mutating func beginSegment(behind seq: UInt64) throws(StorageError) {
        if !planted(.builtSegmentUnsynced) { try file.synchronize() }
        segment = seq + 1
        end = 0
        file = try storage.open(StoragePath(directory, SegmentName.file(firstSeq: segment)), .create)
    }

    /// The last entry that was built.
    var tip: ChainTip { writer.tip }

    private static func copy(
        _ segment: UInt64, upTo limit: Int?, from reader: SegmentReader, to directory: StoragePath
    ) throws(StorageError) -> any StorageFile {
        let copy = try reader.storage.open(StoragePath(directory, SegmentName.file(firstSeq: segment)), .create)
        guard reader.segments.contains(segment) else { return copy }
        let file = try reader.open(segment: segment)
        let size: Int
        if let limit { size = limit } else { size = try file.status().size }
        var buffer = [UInt8](repeating: 0, count: min(SegmentReader.readByteCount, max(1, size)))
        var offset = 0
        while offset < size {
            buffer.removeLast(max(0, buffer.count - (size - offset)))
            let count = try file.read(into: &buffer, from: 0, at: offset)
            guard count > 0 else { throw StorageError(.drift, "read", "\(reader.storage.basePath)/\(file.path)") }
            try copy.write(buffer.span.extracting(0..<count), at: offset)
            offset += count
        }
        return copy
    }

    mutating func leaveGap(upTo last: UInt64) { writer.leaveGap(upTo: last) }

    mutating func append(_ draft: Draft) throws(StorageError) { try append([draft]) }

    /// Appends one decision, which stays in one segment.
    mutating func append(_ drafts: [Draft]) throws(StorageError) {
        if mustState {
            mustState = false
            try append([Drafts.stated(RosterStatement(actors))])
        }
        for (index, draft) in drafts.enumerated() {
            let part = drafts.count > 1 ? Part(index: index + 1, count: drafts.count) : nil
            do throws(DraftError) {
                try writer.append(draft, at: now(), part: part, payloadMax: Limits.payload)
            } catch {
                preconditionFailure("what a repair writes fits into a frame: \(error)")
            }
        }
        if writer.block.count >= min(Self.blockByteCount, segmentByteCount) { try flush() }
    }

    /// The last entry is a repair's, which may change who signs for the house: later segments say what it said.
    mutating func note(_ body: JSON) {
        guard let body = body.object, let statement = RosterStatement(action: ChainTurn.repaired, body: body),
            let roster = statement.after(writer.tip.seq, writer.tip.hash)
        else { return }
        actors = roster
    }

    /// Goes on with another key, which the last entry has introduced.
    mutating func change(to key: SealingKey) throws(StorageError) {
        try flush()
        keys[key.id] = key
        var tip = writer.tip
        tip.key = key.id
        writer = FrameWriter(after: tip, synced: synced, key: key)
    }

    private mutating func flush() throws(StorageError) {
        guard !writer.block.isEmpty, let key = keys[writer.tip.key] else { return }
        try file.write(writer.block.span, at: end)
        end += writer.block.count
        let tip = writer.tip
        writer = FrameWriter(after: tip, synced: synced, key: key)
        guard end >= segmentByteCount else { return }
        try beginSegment(behind: tip.seq)
        mustState = !actors.isEmpty
    }

    /// Makes everything durable.
    mutating func finish() throws(StorageError) {
        try flush()
        if !planted(.builtTailUnsynced) { try file.synchronize() }
        if !planted(.builtNamesUnsynced) { try storage.synchronize(directory: directory) }
        if !planted(.builtDirectoryUnsynced) { try storage.synchronize(directory: directory.parent) }
    }
}
