// Every durable operation of the project stands here, each with the system calls that it makes on POSIX storage.
// What a crash between two of them leaves is said where the operation is defined.
import PlantedDefects

/// The directories and single files under a base.
package enum Layout {
    package static let ledger = StoragePath("ledger")
    package static let keys = StoragePath("keys")
    package static let quarantine = StoragePath("quarantine")
    package static let snapshots = StoragePath("snapshots")
    package static let head = StoragePath("HEAD")
    /// The plan of a repair that is under way.
    package static let repair = StoragePath("repair")
}

extension Storage {
    /// Creates a file with its contents.
    ///
    ///     openat(O_CREAT|O_EXCL) pwrite fsync | openat(dir) fsync(dir)
    ///
    /// A crash leaves no file, or an incomplete one: the caller's name must be one that nobody reads yet.
    package func create(_ path: StoragePath, _ contents: Span<UInt8>) throws(StorageError) {
        let file = try open(path, .create)
        try file.write(contents, at: 0)
        if !planted(.createUnsynced) { try file.synchronize() }
        if !planted(.createNameUnsynced) { try synchronize(directory: path.parent) }
    }

    /// Makes a directory where none is: an empty one is easily lost in a copy.
    ///
    ///     fstatat mkdirat | openat(dir) fsync(dir)
    ///
    /// A crash leaves none, or an empty one.
    package func ensureDirectory(_ path: StoragePath) throws(StorageError) {
        guard try status(of: path) == nil else { return }
        try makeDirectory(path)
        if !planted(.directoryNameUnsynced) { try synchronize(directory: path.parent) }
    }

    /// Replaces a file's contents atomically.
    ///
    ///     unlinkat(.new, usually ENOENT) openat(.new, O_CREAT|O_EXCL) pwrite fsync | renameat | openat(dir) fsync(dir)
    ///
    /// A crash leaves the old contents or the new, and perhaps an orphan `.new`, which the next replacement removes.
    package func replace(_ path: StoragePath, _ contents: Span<UInt8>) throws(StorageError) {
        #if PlantedDefects
            if planted(.replaceInPlace) { return try overwrite(path, contents) }
        #endif
        let aside = path.aside
        do throws(StorageError) { try remove(aside) } catch { if !error.isNotFound { throw error } }
        let file = try open(aside, .create)
        try file.write(contents, at: 0)
        if !planted(.replaceUnsynced) { try file.synchronize() }
        try rename(aside, to: path)
        if !planted(.replaceNameUnsynced) { try synchronize(directory: path.parent) }
    }

    /// Replaces the contents of a file that is not the ledger's own, but the user's, who may have let others read it.
    ///
    ///     unlinkat(aside, usually ENOENT) openat(aside, O_CREAT|O_EXCL) pwrite fchmod fsync | renameat | openat(dir) fsync(dir)
    ///
    /// A crash leaves the old contents or the new, and perhaps an orphan aside, which the next replacement removes.
    package func replace(
        _ path: StoragePath, _ contents: Span<UInt8>, aside: StoragePath, mode: UInt32
    ) throws(StorageError) {
        do throws(StorageError) { try remove(aside) } catch { if !error.isNotFound { throw error } }
        let file = try open(aside, .create)
        try file.write(contents, at: 0)
        try file.setMode(mode)
        if !planted(.handbookUnsynced) { try file.synchronize() }
        try rename(aside, to: path)
        if !planted(.handbookNameUnsynced) { try synchronize(directory: path.parent) }
    }

    /// Copies another base's file to a place where none stands, whatever its size.
    ///
    ///     unlinkat(.new, usually ENOENT) openat(.new, O_CREAT|O_EXCL) (pread pwrite)… fsync | renameat | openat(dir) fsync(dir)
    ///
    /// A crash leaves no file under the name, or the whole one, and perhaps an orphan `.new`, which the next attempt removes.
    package func install(_ path: StoragePath, byteCount: Int, from source: any StorageFile) throws(StorageError) {
        let aside = path.aside
        do throws(StorageError) { try remove(aside) } catch { if !error.isNotFound { throw error } }
        let file = try open(aside, .create)
        var buffer = [UInt8](repeating: 0, count: min(1 << 20, max(1, byteCount)))
        var offset = 0
        while offset < byteCount {
            buffer.removeLast(max(0, buffer.count - (byteCount - offset)))
            let count = try source.read(into: &buffer, from: 0, at: offset)
            guard count > 0 else { throw StorageError(.drift, "read", source.path.description) }
            try file.write(buffer.span.extracting(0..<count), at: offset)
            offset += count
        }
        if !planted(.installUnsynced) { try file.synchronize() }
        try rename(aside, to: path)
        if !planted(.installNameUnsynced) { try synchronize(directory: path.parent) }
    }

    /// Keeps evidence: creates the file, or accepts it if an earlier attempt got as far.
    ///
    ///     as `replace`, and nothing where the same bytes stand already but: openat fsync | openat(dir) fsync(dir)
    ///
    /// A crash leaves no file under the name, or the whole one.
    package func keep(_ path: StoragePath, _ contents: Span<UInt8>) throws(StorageError) {
        if let status = try status(of: path), status.kind == .regular, status.size == contents.count {
            let file = try open(path, .read)
            let kept = try file.contents(upTo: contents.count)
            if contents.isEqual(to: kept) {
                if !planted(.keptEvidenceUnsynced) { try file.synchronize() }
                if !planted(.keptNameUnsynced) { try synchronize(directory: path.parent) }
                return
            }
        }
        try replace(path, contents)
    }

    /// Renames a file for good.
    ///
    ///     renameat | openat(dir) fsync(dir)
    ///
    /// A crash leaves it under one of the two names.
    package func move(_ path: StoragePath, to target: StoragePath) throws(StorageError) {
        try rename(path, to: target)
        if !planted(.moveUnsynced) { try synchronize(directory: target.parent) }
    }
}

extension Storage {
    /// Lets two directories change places for good.
    ///
    ///     renameat2(RENAME_EXCHANGE) | openat(dir) fsync(dir) | openat(dir) fsync(dir)
    ///
    /// A crash leaves both where they were or both in the other's place.
    package func swap(_ one: StoragePath, with other: StoragePath) throws(StorageError) {
        try exchange(one, with: other)
        if !planted(.swapUnsynced) {
            try synchronize(directory: one.parent)
            try synchronize(directory: other.parent)
        }
    }
}

extension StorageFile {
    /// Appends a block, or overwrites preallocated NULs with it.
    ///
    ///     pwrite fdatasync
    ///
    /// A crash leaves any of its sectors. A failed write leaves a part, and the caller restores the length; a failed
    /// sync leaves nothing known, and the caller latches.
    package func append(_ block: Span<UInt8>, at offset: Int) throws(AppendFailure) {
        do throws(StorageError) { try write(block, at: offset) } catch { throw .write(error) }
        if planted(.appendUnsynced) { return }
        do throws(StorageError) { try synchronize() } catch { throw .synchronize(error) }
    }

    /// Cuts a file.
    ///
    ///     ftruncate fdatasync
    ///
    /// A crash leaves the old length or the new.
    package func cut(to size: Int) throws(StorageError) {
        try truncate(to: size)
        if !planted(.cutUnsynced) { try synchronize() }
    }

    /// The whole file, which must not be longer than `limit` bytes; one byte more is read to tell.
    package func contents(upTo limit: Int) throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let read = try read(into: &bytes, from: count, at: count)
            if read == 0 { break }
            count += read
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

/// Which of an append's two steps failed: after the first the outcome is known, after the second it is not.
package enum AppendFailure: Error, Sendable {
    case write(StorageError)
    case synchronize(StorageError)
}

extension StoragePath {
    /// The name under which a replacement is built.
    package var aside: StoragePath { parent.map { StoragePath($0, name + ".new") } ?? StoragePath(name + ".new") }
}

extension Span where Element == UInt8 {
    func isEqual(to other: [UInt8]) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}

#if PlantedDefects
    extension Storage {
        /// What `replaceInPlace` does wrong.
        private func overwrite(_ path: StoragePath, _ contents: Span<UInt8>) throws(StorageError) {
            let exists = try status(of: path) != nil
            let file = try open(path, exists ? .readWrite : .create)
            try file.truncate(to: contents.count)
            try file.write(contents, at: 0)
            try file.synchronize()
            try synchronize(directory: path.parent)
        }
    }
#endif
