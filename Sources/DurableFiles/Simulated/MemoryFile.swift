import Synchronization
import SystemPackage

/// An open file of a `MemoryDisk`; it stays readable when its name is gone.
final class MemoryFile: StorageFile {
    let path: StoragePath
    private let disk: MemoryDisk
    private let slot: Int
    private let isWritable: Bool

    init(_ disk: MemoryDisk, _ slot: Int, _ path: StoragePath, isWritable: Bool) {
        self.disk = disk
        self.slot = slot
        self.path = path
        self.isWritable = isWritable
    }

    func status() throws(StorageError) -> FileStatus {
        disk.volume.withLock { volume in volume.status(ofSlot: slot) }
    }

    func read(into buffer: inout [UInt8], from start: Int, at offset: Int) throws(StorageError) -> Int {
        precondition(start >= 0 && start <= buffer.count && offset >= 0)
        return disk.volume.withLock { volume in
            let available = volume.nodes[slot].contents.current.count - offset
            let count = min(buffer.count - start, available)
            if count <= 0 { return 0 }
            buffer.replaceSubrange(
                start..<start + count, with: volume.nodes[slot].contents.current[offset..<offset + count])
            return count
        }
    }

    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError) {
        precondition(offset >= 0)
        try checkWritable("write")
        // A copy, because the change may reach the disk later.
        let bytes = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
        disk.volume.withLock { volume in volume.nodes[slot].contents.write(bytes, at: offset) }
    }

    func truncate(to size: Int) throws(StorageError) {
        precondition(size >= 0)
        try checkWritable("cut")
        disk.volume.withLock { volume in volume.nodes[slot].contents.truncate(to: size) }
    }

    func setMode(_ mode: UInt32) throws(StorageError) {
        try checkWritable("set the permissions of")
        disk.volume.withLock { volume in volume.nodes[slot].mode = mode }
    }

    func synchronize() throws(StorageError) {
        disk.volume.withLock { volume in volume.nodes[slot].contents.synchronize() }
    }

    /// What a failed synchronisation does: what was not durable is still read back, and nothing brings it to the disk but
    /// writing it again.
    func loseUnsynchronized() {
        disk.volume.withLock { volume in volume.nodes[slot].contents.loseUnsynchronized() }
    }

    private func checkWritable(_ operation: String) throws(StorageError) {
        if !isWritable { throw StorageError(.system(.badFileDescriptor), operation, "\(disk.basePath)/\(path)") }
    }
}
