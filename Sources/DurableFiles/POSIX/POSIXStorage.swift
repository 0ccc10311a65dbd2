import PlantedDefects
import SystemPackage
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A base directory on a POSIX file system.
///
/// The base and its locks are held through open descriptors; every path is walked anew from the base at each use, so
/// that a directory replaced under us is seen.
package final class POSIXStorage: Storage {
    package let basePath: String
    package let owner: UInt32
    package var user: UInt32 { System.user }
    let base: Descriptor
    /// The open descriptor keeps it from being used again.
    let baseIdentity: FileIdentity
    /// Directories of the base that were entered before, by name.
    private let entered = Mutex<[String: Directory]>([:])
    /// Where a base under construction will be published; nil once it is in place.
    let construction: Mutex<Construction?>
    /// The gate, while we hold it: closing its descriptor gives the lock back.
    private let gate = Mutex<Gate?>(nil)
    private let allowedNetworkFileSystem: String?

    struct Construction: Sendable {
        let parentPath: String
        let asideName: String
        let finalName: String
    }

    /// An open directory of the base, whose identity the descriptor keeps from being used again.
    private final class Directory: Sendable {
        let descriptor: Descriptor
        let identity: FileIdentity

        init(_ descriptor: consuming Descriptor) throws(Errno) {
            identity = try System.status(of: descriptor.raw).identity
            self.descriptor = descriptor
        }
    }

    private final class Gate: Sendable {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Opens an existing base directory.
    ///
    /// - Parameter allowedNetworkFileSystem: the name of a network file system that the user accepts.
    package init(path: String, allowedNetworkFileSystem: String? = nil) throws(StorageError) {
        basePath = path
        base = try DirectoryWalk.open(path: path)
        construction = Mutex(nil)
        self.allowedNetworkFileSystem = allowedNetworkFileSystem
        let status = try Self.status(of: base, path)
        owner = status.owner
        baseIdentity = status.identity
        try Self.checkFileSystem(base, path, allowedNetworkFileSystem)
    }

    /// Makes a base directory aside, in the directory that will hold it, under a name that `random` makes unique.
    package init(
        constructing path: String, random: UInt64, allowedNetworkFileSystem: String? = nil
    ) throws(StorageError) {
        let parts = DirectoryWalk.components(path)
        guard let name = parts.last, name != ".." else { throw StorageError(.system(.invalidArgument), "make", path) }
        let parentPath = (path.isAbsolutePath ? "/" : "./") + parts.dropLast().joined(separator: "/")
        let parent = try DirectoryWalk.open(path: parentPath)
        try Self.checkFileSystem(parent, parentPath, allowedNetworkFileSystem)
        if (try? System.status(of: name, in: parent.raw)) != nil {
            throw StorageError(.system(.fileExists), "make", path)
        }
        var aside = ""
        base = try Self.makeAside(in: parent, parentPath, random: random, for: path, name: &aside)
        baseIdentity = try Self.status(of: base, path).identity
        basePath = path
        owner = System.user
        self.allowedNetworkFileSystem = allowedNetworkFileSystem
        construction = Mutex(Construction(parentPath: parentPath, asideName: aside, finalName: name))
    }

    /// A directory of another base as a base of its own: for what lies deeper than a ledger's own files.
    private init(inside outer: POSIXStorage, _ name: StoragePath) throws(StorageError) {
        basePath = outer.shown(name)
        base = try DirectoryWalk.step(name.name, in: outer.base, outer.shown(name))
        baseIdentity = try Self.status(of: base, outer.shown(name)).identity
        owner = outer.owner
        allowedNetworkFileSystem = outer.allowedNetworkFileSystem
        construction = Mutex(nil)
    }

    /// The directory with this name as a base, for what lies deeper than a ledger's own files; its owner is the outer base's.
    package func inner(_ name: StoragePath) throws(StorageError) -> POSIXStorage {
        precondition(name.directory == nil, "one step at a time")
        return try POSIXStorage(inside: self, name)
    }

    /// The names in the base itself.
    package func names() throws(StorageError) -> [String] {
        do throws(Errno) { return try System.names(in: base) } catch { throw failure(error, "list", nil) }
    }

    private static func status(of directory: borrowing Descriptor, _ path: String) throws(StorageError) -> FileStatus {
        do throws(Errno) { return try System.status(of: directory.raw) } catch {
            throw StorageError(.system(error), "look at", path)
        }
    }

    private static func checkFileSystem(
        _ directory: borrowing Descriptor, _ path: String, _ allowed: String?
    ) throws(StorageError) {
        guard let type = try? System.fileSystemType(directory.raw), let name = NetworkFileSystem.name(ofType: type)
        else {
            return
        }
        if name != allowed { throw StorageError(.refused(.networkFileSystem(name)), "open", path) }
    }

    private func failure(_ errno: Errno, _ operation: String, _ path: StoragePath?) -> StorageError {
        StorageError(.system(errno), operation, shown(path))
    }

    private func shown(_ path: StoragePath?) -> String { path.map { "\(basePath)/\($0)" } ?? basePath }
}

// Files and names
extension POSIXStorage {
    package func open(_ path: StoragePath, _ access: FileAccess) throws(StorageError) -> any StorageFile {
        try open(path, access, attemptsLeft: Self.attemptCount)
    }

    private func open(
        _ path: StoragePath, _ access: FileAccess, attemptsLeft: Int
    ) throws(StorageError) -> any StorageFile {
        let flags =
            switch access {
            case .read: O_RDONLY
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        return try inDirectory(of: path) { directory throws(StorageError) in
            let descriptor: Descriptor
            do throws(Errno) {
                descriptor = try System.open(path.name, in: directory, flags, mode: 0o600)
            } catch {
                // A link, a socket or a device without a driver fails to open: say what it is rather than how it failed.
                if access != .create, let status = try? System.status(of: path.name, in: directory) {
                    try status.checkRegular(owner: self.owner, "open", self.shown(path))
                }
                throw self.failure(error, "open", path)
            }
            let file = POSIXFile(descriptor, path, shownPath: self.shown(path))
            let status = try file.status()
            // Replaced since it was opened, as a writer does with HEAD: who looks again finds the file that bears the name now.
            if status.linkCount == 0, access != .create, attemptsLeft > 0 {
                return try self.open(path, access, attemptsLeft: attemptsLeft - 1)
            }
            try status.checkRegular(owner: self.owner, "open", self.shown(path))
            return file
        }
    }

    /// Between two replacements lies a sync or more: nobody meets so many in a row.
    private static let attemptCount = 100

    package func status(of path: StoragePath) throws(StorageError) -> FileStatus? {
        do throws(StorageError) {
            return try inDirectory(of: path) { directory throws(StorageError) in
                do throws(Errno) {
                    return try System.status(of: path.name, in: directory)
                } catch {
                    throw self.failure(error, "look at", path)
                }
            }
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    package func names(in directory: StoragePath) throws(StorageError) -> [String] {
        let descriptor = try descriptor(of: directory)
        do throws(Errno) { return try System.names(in: descriptor) } catch { throw failure(error, "list", directory) }
    }

    package func makeDirectory(_ path: StoragePath) throws(StorageError) {
        try changing(path, "make") { directory throws(Errno) in try System.makeDirectory(path.name, in: directory) }
    }

    package func rename(_ path: StoragePath, to target: StoragePath) throws(StorageError) {
        precondition(path.directory == target.directory, "a file is renamed within its directory")
        try changing(path, "rename") { directory throws(Errno) in
            try System.rename(path.name, to: target.name, in: directory)
        }
    }

    package func exchange(_ one: StoragePath, with other: StoragePath) throws(StorageError) {
        try inDirectory(of: one) { oneDirectory throws(StorageError) in
            try self.inDirectory(of: other) { otherDirectory throws(StorageError) in
                let kinds: [(path: StoragePath, kind: FileStatus.Kind)]
                do throws(Errno) {
                    kinds = [
                        (one, try System.status(of: one.name, in: oneDirectory).kind),
                        (other, try System.status(of: other.name, in: otherDirectory).kind),
                    ]
                } catch {
                    throw self.failure(error, "exchange", one)
                }
                for (path, kind) in kinds where kind != .directory {
                    throw StorageError(
                        .refused(kind == .symbolicLink ? .symbolicLink : .notDirectory(kind)), "exchange", self.shown(path))
                }
                do throws(Errno) {
                    try System.exchange(one.name, in: oneDirectory, with: other.name, in: otherDirectory)
                } catch {
                    throw self.failure(error, "exchange", one)
                }
            }
        }
    }

    package func remove(_ path: StoragePath) throws(StorageError) {
        try changing(path, "remove") { directory throws(Errno) in try System.remove(path.name, in: directory) }
    }

    package func synchronize(directory: StoragePath?) throws(StorageError) {
        guard let directory else {
            do throws(Errno) { try System.synchronize(base.raw) } catch { throw failure(error, "synchronize", nil) }
            return
        }
        let descriptor = try descriptor(of: directory)
        do throws(Errno) {
            try System.synchronize(descriptor.raw)
        } catch {
            throw failure(error, "synchronize", directory)
        }
    }

    private func changing(
        _ path: StoragePath, _ operation: String, _ change: (Int32) throws(Errno) -> Void
    ) throws(StorageError) {
        try inDirectory(of: path) { directory throws(StorageError) in
            do throws(Errno) { try change(directory) } catch { throw self.failure(error, operation, path) }
        }
    }

    private func inDirectory<Result>(
        of path: StoragePath, _ body: (Int32) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        guard let name = path.directory else { return try body(base.raw) }
        if let directory = try entered(name) { return try body(directory.descriptor.raw) }
        guard let parent = path.parent else { preconditionFailure("what has a directory has a parent") }
        let directory = try descriptor(of: parent)
        return try body(directory.raw)
    }

    /// A directory of the base itself: the one that the name leads to now, kept open; nil for what lies deeper.
    ///
    /// To see that a name leads to the same directory as before takes one call, and to open it again three.
    private func entered(_ name: String) throws(StorageError) -> Directory? {
        if name.utf8.contains(UInt8(ascii: "/")) { return nil }
        if let known = entered.withLock({ $0[name] }),
            (try? System.status(of: name, in: base.raw))?.identity == known.identity || planted(.directoryUnchecked)
        {
            return known
        }
        let path = StoragePath(name)
        let found = try DirectoryWalk.step(name, in: base, shown(path))
        let directory: Directory
        do throws(Errno) { directory = try Directory(found) } catch { throw failure(error, "look at", path) }
        entered.withLock { $0[name] = directory }
        return directory
    }

    private func descriptor(of directory: StoragePath) throws(StorageError) -> Descriptor {
        guard let parent = directory.parent else { return try DirectoryWalk.step(directory.name, in: base, shown(directory)) }
        return try DirectoryWalk.step(directory.name, in: try descriptor(of: parent), shown(directory))
    }
}

// The base itself
extension POSIXStorage {
    package func reopened() throws(StorageError) -> any Storage {
        try POSIXStorage(path: basePath, allowedNetworkFileSystem: allowedNetworkFileSystem)
    }

    package func checkBase() throws(StorageError) {
        if construction.withLock({ $0 != nil }) || planted(.baseUnchecked) { return }
        let drift = StorageError(.drift, "check", basePath)
        let found: FileIdentity
        do throws(StorageError) {
            found = try DirectoryWalk.identity(ofDirectory: basePath)
        } catch {
            // Too many open files, or a permission lost, says nothing of what stands there.
            if case .system(let errno) = error.kind, errno != .noSuchFileOrDirectory { throw error }
            throw drift
        }
        if found != baseIdentity { throw drift }
    }

    /// Makes the base durable under its own name.
    ///
    ///     fsync(base) | openat(parent) renameat2(RENAME_NOREPLACE) fsync(parent)
    ///
    /// A crash leaves no ledger and an orphan `.bulla-init-…`, or the whole ledger.
    package func publish() throws(StorageError) {
        guard let construction = construction.withLock({ $0 }) else {
            preconditionFailure("the base is published already")
        }
        if !planted(.publishedNamesUnsynced) { try synchronize(directory: nil) }
        let parent = try DirectoryWalk.open(path: construction.parentPath)
        do throws(Errno) {
            if planted(.publishReplaces) {
                try? System.rename(construction.finalName, to: construction.asideName + "-old", in: parent.raw)
            }
            try System.renameNew(construction.asideName, to: construction.finalName, in: parent.raw)
            self.construction.withLock { $0 = nil }
        } catch {
            throw failure(error, "make", nil)
        }
        // On a base that has its name this lock is the writer's.
        System.unlock(base.raw)
        do throws(Errno) {
            if !planted(.publishedNameUnsynced) { try System.synchronize(parent.raw) }
        } catch {
            throw failure(error, "vouch for the name of what was made (verify it):", nil)
        }
    }

    /// Removes a base under construction after a failure; best effort, as an orphan is found by who makes the next one.
    package func abandon() {
        guard let construction = construction.withLock({ $0 }),
            let parent = try? DirectoryWalk.open(path: construction.parentPath)
        else { return }
        Self.removeContents(of: base)
        try? System.remove(construction.asideName, in: parent.raw, isDirectory: true)
    }
}

// Locks
extension POSIXStorage {
    package func tryLock(_ lock: StorageLock) throws(StorageError) -> Bool {
        let opened: Gate? = lock == .gate ? Gate(try openGate()) : nil
        do throws(Errno) {
            if lock == .writer, planted(.writerLockUntaken) { return true }
            guard try System.tryLock(opened?.descriptor.raw ?? base.raw) else { return false }
        } catch {
            throw failure(error, "lock", lock == .gate ? Layout.keys : nil)
        }
        if let opened { gate.withLock { $0 = opened } }
        return true
    }

    package func unlock(_ lock: StorageLock) {
        switch lock {
        case .writer: System.unlock(base.raw)
        case .gate: gate.withLock { $0 = nil }
        }
    }

    /// A shared lock of our own description is to be had unless a waiter holds the gate; it is given back at once.
    package func gateIsTaken() throws(StorageError) -> Bool {
        // Named, because a temporary is closed as soon as its number is read.
        let opened = try openGate()
        do throws(Errno) {
            return try !System.tryLock(opened.raw, shared: true)
        } catch {
            throw failure(error, "lock", Layout.keys)
        }
    }

    private func openGate() throws(StorageError) -> Descriptor {
        try DirectoryWalk.step(Layout.keys.name, in: base, shown(Layout.keys))
    }

    package func holder(of lock: StorageLock) -> LockHolder? {
        let path = lock == .writer ? nil : Layout.keys
        let status = path.map { try? System.status(of: $0.name, in: base.raw) } ?? (try? System.status(of: base.raw))
        return status.flatMap { LockTable.holder(of: $0.identity) }
    }
}
