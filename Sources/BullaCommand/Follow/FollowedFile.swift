import CanonicalJSON
import Ledger
import LedgerFormat

/// A log that is followed by its name, as by `tail -F`: across rotation and truncation, until a signal.
struct FollowedFile: LineSource {
    /// Where an earlier following stopped.
    struct Resumption {
        var file: LogFile
        var life: Int64
        /// Behind what was recorded.
        var offset: Int
        /// Parts of the line there that were recorded.
        var partCount: Int
    }

    private let path: String
    private let key: SealingKey
    private let watch: FileWatch
    /// Which file comes next, if it has been rotated already.
    private var nextPath: String?
    /// Nil while there is none.
    private var file: LogFile?
    private var status: LogFile.Status?
    private var life: Int64 = 0
    /// Where in the file the first of `lines` stands.
    private var base = 0
    private var lines = LineBuffer(cutsLongLines: true)
    /// The last bytes that were read, by which a file is known that was truncated and written anew.
    private var tail: [UInt8] = []
    /// The writer has left the file: what is there is all.
    private var isOver = false
    /// A signal came: what is there up to here is still taken.
    private var stopOffset: Int?
    private var earlierLineCount = 0
    private(set) var byteCount = 0

    private static let readByteCount = 1 << 18
    private static let tailByteCount = 4096

    init(_ path: String, from resumption: Resumption?, key: SealingKey, watch: FileWatch) throws(LedgerError) {
        self.path = path
        self.key = key
        self.watch = watch
        if let resumption {
            try open(resumption.file, life: resumption.life)
            base = resumption.offset
            lines = LineBuffer(cutsLongLines: true, partCount: resumption.partCount)
            let tailStart = max(0, base - Self.tailByteCount)
            tail = try resumption.file.read(at: tailStart, upTo: base - tailStart)
        } else if let file = try LogFile(path) {
            try open(file)
        }
    }

    static var isResumed: Bool { true }
    var buffer: [UInt8] { lines.bytes }
    var lineCount: Int { earlierLineCount + lines.lineCount }

    func id(of range: Range<Int>) -> String? {
        guard let status else { preconditionFailure("a line has its file") }
        return FollowPosition(
            device: status.device, inode: status.inode, life: life, offset: base + lines.droppedByteCount + range.lowerBound,
            byteCount: range.count, check: FollowPosition.check(of: Array(lines.bytes[range]), key)
        ).text
    }

    mutating func next(waiting: Bool) throws(LedgerError) -> NextLine {
        while true {
            switch lines.next(isAtEnd: isOver) {
            case .line(let range): return .line(range)
            case .part(let range, let part): return .part(range, part)
            case .tooLong: preconditionFailure("long lines are cut")
            case nil: break
            }
            if isOver { leave() }
            if stopOffset == nil, watch.isStopped { stopOffset = try file?.status().size ?? 0 }
            if let stopOffset, position >= stopOffset { return .end }
            if try readMore() { continue }
            if stopOffset != nil { return .end }
            if try isLeft() {
                isOver = true
            } else if waiting {
                watch.wait()
            } else {
                return .mustWait
            }
        }
    }

    /// Up to where the file was read.
    private var position: Int { base + lines.droppedByteCount + lines.bytes.count }

    private mutating func open(_ file: LogFile, life: Int64 = Environment.system.now().microseconds) throws(LedgerError) {
        self.file = file
        status = try file.status()
        self.life = life
        base = 0
    }

    private mutating func leave() {
        earlierLineCount += lines.lineCount
        lines = LineBuffer(cutsLongLines: true)
        base = 0
        tail = []
        nextPath = successor()
        file = nil
        isOver = false
    }

    /// Where the log was rotated to that was written behind this one, if it was rotated more than once meanwhile.
    private func successor() -> String? {
        guard let left = try? file?.status(), LogFile.status(of: path)?.isSameFile(as: left) == false else { return nil }
        let rotated = LogFile.rotated(of: path)
        // Of two that were written to last in the same moment their names tell, if this one still has one.
        let own = rotated.first { $0.status.isSameFile(as: left) }
        return rotated.filter { file in
            if file.status.isSameFile(as: left) { return false }
            guard file.status.modified == left.modified else { return file.status.modified > left.modified }
            return own.map { LogFile.isOlder($0.path, than: file.path) } ?? false
        }.min { one, other in
            guard one.status.modified == other.status.modified else { return one.status.modified < other.status.modified }
            return LogFile.isOlder(one.path, than: other.path)
        }?.path
    }

    private mutating func readMore() throws(LedgerError) -> Bool {
        if file == nil {
            var next = try LogFile(nextPath ?? path)
            // Its name may be another one since.
            if next == nil { next = try LogFile(path) }
            if let next { try open(next) }
        }
        guard let file else { return false }
        let count = min(Self.readByteCount, (stopOffset ?? .max) - position)
        let found = try file.read(at: position - tail.count, upTo: tail.count + count)
        // What was truncated is no continuation, however long it is again.
        guard found.starts(with: tail) else { return false }
        let more = Array(found.dropFirst(tail.count))
        tail = Array(found.suffix(Self.tailByteCount))
        lines.append(more)
        byteCount += more.count
        return !more.isEmpty
    }

    /// Whether the file was truncated, or its writer has turned to another one under its name.
    ///
    /// Renamed it may still be written to, until the new one has something in it: the writer opens that only then.
    private mutating func isLeft() throws(LedgerError) -> Bool {
        guard let file, let status else { return false }
        let tailNow = try file.read(at: position - tail.count, upTo: tail.count)
        let size = try file.status().size
        if tailNow != tail || size < position { return true }
        guard let there = LogFile.status(of: path), !there.isSameFile(as: status), there.size > 0 else { return false }
        // What was written here before that is seen by now.
        return try !readMore()
    }
}
