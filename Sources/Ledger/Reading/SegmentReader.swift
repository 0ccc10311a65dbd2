package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// Feeds the segments of a ledger to a verifier, with memory that does not depend on their size.
package struct SegmentReader {
    package let storage: any Storage
    /// The first seqs of the segments, rising.
    package private(set) var segments: [UInt64]
    /// Where they lie: `ledger/`, or what will take its place.
    package let directory: StoragePath
    private var buffer: [UInt8]
    private let opened = OpenedSegments()

    /// One read at most; a frame that is longer makes the buffer grow to it.
    ///
    /// Hundreds of frames, and little enough to be verified while it lies in a core's own cache; a process that appends once
    /// reads preallocated space with it, and pays for each of its pages.
    package static let readByteCount = 1 << 18
    /// The buffer for a file that is nearly empty.
    private static let readByteCountMin = 1 << 12

    package init(_ storage: any Storage, in directory: StoragePath = Layout.ledger) throws(StorageError) {
        self.storage = storage
        self.directory = directory
        segments = try Self.segments(in: storage, directory)
        buffer = []
    }

    /// Reads some of the segments, as if there were no others.
    init(_ storage: any Storage, _ segments: [UInt64]) throws(StorageError) {
        try self.init(storage)
        self.segments = segments.filter(self.segments.contains)
    }

    /// The first seqs of the segments in `ledger/`, rising; files with other names mean nothing.
    ///
    /// Without `ledger/` there are none: what HEAD says about that is a verdict, not a failed read.
    package static func segments(
        in storage: any Storage, _ directory: StoragePath = Layout.ledger
    ) throws(StorageError) -> [UInt64] {
        let names: [String]
        do throws(StorageError) {
            names = try storage.names(in: directory)
        } catch {
            guard error.isNotFound else { throw error }
            return []
        }
        return names.compactMap { SegmentName.firstSeq(file: $0) }.sorted()
    }

    package static func path(ofSegment firstSeq: UInt64) -> StoragePath {
        StoragePath(Layout.ledger.name, SegmentName.file(firstSeq: firstSeq))
    }

    /// Opens a segment, which must be the file that it was before: what is cut or written is what was verified.
    package func open(segment: UInt64, _ access: FileAccess = .read) throws(StorageError) -> any StorageFile {
        let file = try storage.open(StoragePath(directory, SegmentName.file(firstSeq: segment)), access)
        guard try opened.isSame(file, as: segment) || planted(.segmentSwapUnnoticed) else {
            throw StorageError(.drift, "open", "\(storage.basePath)/\(file.path)")
        }
        return file
    }

    /// Why a scan ended.
    package enum End: Sendable, Equatable {
        /// Everything there is was verified.
        case complete
        case failed(ChainFailure)
        /// The visitor wanted no more.
        case stopped
        case outOfTime
    }

    /// Verifies from the verifier's position, or the first segment, to the end of the last segment, or to `limit`.
    ///
    /// - Parameters:
    ///   - limit: a place where a frame ends; nothing behind it is read.
    ///   - isOutOfTime: asked before each read.
    ///   - visit: called for each verified entry.
    package mutating func scan(
        _ verifier: inout ChainVerifier, upTo limit: Place? = nil, isOutOfTime: () -> Bool = { false },
        visit: (FrameView, Span<UInt8>) -> Bool = { _, _ in true }
    ) throws(StorageError) -> End {
        var start = verifier.position
        if verifier.isFresh, let first = segments.first { start.segment = first }
        let wanted = segments.filter { $0 >= start.segment && $0 <= limit?.segment ?? .max }
        guard wanted.first == start.segment else { return .failed(verifier.failure(.segmentMissing)) }
        for segment in wanted {
            do throws(ChainFailure) {
                try verifier.beginSegment(
                    firstSeq: segment, isLast: segment == segments.last, offset: segment == start.segment ? start.offset : 0)
            } catch {
                return .failed(error)
            }
            let end = limit?.segment == segment ? limit?.offset : nil
            let result = try scan(segment, &verifier, upTo: end, isOutOfTime, visit)
            if result != .complete { return result }
        }
        if limit == nil {
            do throws(ChainFailure) { try verifier.finish() } catch { return .failed(error) }
        }
        return .complete
    }

    private mutating func scan(
        _ segment: UInt64, _ verifier: inout ChainVerifier, upTo limit: Int?, _ isOutOfTime: () -> Bool,
        _ visit: (FrameView, Span<UInt8>) -> Bool
    ) throws(StorageError) -> End {
        let file = try open(segment: segment)
        var offset = verifier.position.offset
        var kept = 0
        // A small file gets a small buffer: filling a large one with NULs would cost more than verifying what is read into it.
        let left = try file.status().size - offset
        let readByteCount = min(max(left, Self.readByteCountMin), Self.readByteCount)
        var wanted = readByteCount
        while true {
            if isOutOfTime() { return .outOfTime }
            let size = min(max(wanted, readByteCount), limit.map { $0 - offset + kept } ?? .max)
            if buffer.count != size { buffer.append(contentsOf: repeatElement(0, count: max(0, size - buffer.count))) }
            buffer.removeLast(buffer.count - size)
            let read = kept < size ? try file.read(into: &buffer, from: kept, at: offset) : 0
            offset += read
            let filled = kept + read
            let outcome = verifier.feed(buffer.span.extracting(0..<filled), isEnd: read == 0, visit: visit)
            switch outcome {
            case .failed(let failure): return .failed(failure)
            case .stopped: return .stopped
            case .wantsMore(let consumed, let atLeast):
                if read == 0 { return .complete }
                kept = filled - consumed
                if consumed > 0, kept > 0 { buffer.replaceSubrange(0..<kept, with: Array(buffer[consumed..<filled])) }
                wanted = atLeast
            }
        }
    }
}
