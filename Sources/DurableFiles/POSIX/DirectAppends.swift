import PlantedDefects
import SystemPackage

/// Appends that go past the page cache, and are durable when they return: the cache's way, a copy that is written back and waited
/// for, takes half as long again (PERFORMANCE.md).
///
/// Only what lies within the file already is written so, NULs that were preallocated and made durable before: then nothing but the data
/// has to reach the disk. A disk writes whole blocks. What stands in the first one before the new bytes is kept here and written
/// again, as the cache does too; a crash leaves what it leaves there: any sectors, the old ones with what they held.
struct DirectAppends: ~Copyable {
    /// Opens the file another time; nil where its file system cannot do this, or is not known to do it well.
    private let open: @Sendable (FileIdentity) -> Descriptor?
    private var door: Descriptor?
    private var isTried = false
    /// Everything that was written before is durable. Who has just opened the file cannot know that.
    private var isClean = false
    private var buffer = AlignedBuffer(blockCount: 0)
    /// Where the last block ended whose beginning stands in the buffer.
    private var end: Int?

    init(open: @escaping @Sendable (FileIdentity) -> Descriptor?) { self.open = open }

    /// Something was written, or cut, by the other way.
    mutating func noteChange() { (isClean, end) = (false, nil) }

    /// Everything is durable.
    mutating func noteSynchronization() { isClean = true }

    /// Writes a block over NULs.
    ///
    /// - Returns: whether it is durable; if not, nothing is known of what stands at its place, and it is to be written the other way.
    /// - Throws: what the disk says; nothing is known then, and nobody tries again.
    mutating func append(_ block: Span<UInt8>, at offset: Int, to file: borrowing Descriptor) throws(Errno) -> Bool {
        let size = AlignedBuffer.blockByteCount
        let start = offset / size * size
        let next = (offset + block.count + size - 1) / size * size
        guard isClean, block.count <= Self.byteCountMax, let status = try? System.status(of: file.raw), next <= status.size else {
            return false
        }
        if !isTried { door = open(status.identity) }
        isTried = true
        guard let raw = door?.raw else { return false }
        if buffer.byteCount == 0 { buffer = AlignedBuffer(blockCount: Self.byteCountMax / size + 2) }
        if end != offset, !planted(.directBlockForgotten), !fill(start..<offset, from: file) { return false }
        end = nil
        buffer.replace(from: offset - start, with: block)
        buffer.clear(offset - start + block.count..<next - start)
        do throws(Errno) {
            guard try System.write(raw, buffer, count: next - start, at: start) == next - start else { return false }
        } catch {
            if error == .ioError { throw error }
            // Not on this disk, or not now: no room, say. The other way finds out, and says it.
            if error == .invalidArgument { door = nil }
            return false
        }
        let last = (offset + block.count) / size * size
        buffer.moveToFront(last - start..<offset + block.count - start)
        end = offset + block.count
        return true
    }

    /// Larger blocks are not preallocated for.
    private static let byteCountMax = 64 << 10

    /// Reads what stands in the first block before the new bytes.
    private func fill(_ range: Range<Int>, from file: borrowing Descriptor) -> Bool {
        var bytes = [UInt8](repeating: 0, count: range.count)
        guard range.isEmpty || (try? System.read(file.raw, &bytes, from: 0, at: range.lowerBound)) == bytes.count else {
            return false
        }
        buffer.replace(from: 0, with: bytes.span)
        return true
    }
}
