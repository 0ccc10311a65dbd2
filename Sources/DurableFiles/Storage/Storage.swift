/// A base directory and the few operations that a ledger needs on it.
///
/// Three kinds exist: POSIX files, memory, and a wrapper that injects faults. Every path is looked up anew, from above
/// the base, and what it leads to is checked before the first byte: nothing outside the base is ever touched.
/// An instance is used by one thread at a time, and so is each open file: while a `PendingAppend` has one, the rest goes on.
package protocol Storage: AnyObject, Sendable {
    /// Where the base is, for messages.
    var basePath: String { get }
    /// The user whose files these must be: the owner of the base.
    var owner: UInt32 { get }
    /// The user that we are: only the owner writes, not even root.
    var user: UInt32 { get }

    /// Opens a regular file with one link that belongs to the owner; anything else is refused.
    func open(_ path: StoragePath, _ access: FileAccess) throws(StorageError) -> any StorageFile
    /// What stands at the path now, itself if it is a link; nil if nothing does.
    func status(of path: StoragePath) throws(StorageError) -> FileStatus?
    /// The names in a directory of the base, in no order.
    func names(in directory: StoragePath) throws(StorageError) -> [String]
    /// Makes a directory that only the owner can enter.
    func makeDirectory(_ path: StoragePath) throws(StorageError)
    /// Renames a file within its directory; what stands at the target is replaced.
    func rename(_ path: StoragePath, to target: StoragePath) throws(StorageError)
    /// Lets two directories change places, in one step: no moment, and no crash, shows one without the other.
    func exchange(_ one: StoragePath, with other: StoragePath) throws(StorageError)
    func remove(_ path: StoragePath) throws(StorageError)
    /// Makes a directory's names durable; nil stands for the base.
    func synchronize(directory: StoragePath?) throws(StorageError)
    /// Makes a base that was built aside visible under its own path, durably, unless something is there already.
    func publish() throws(StorageError)
    /// Throws `drift` unless the base's path still leads to the base that is open.
    func checkBase() throws(StorageError)
    /// The base that its path leads to now, without any lock: for who waited for a lock, and got that of a base that was replaced.
    func reopened() throws(StorageError) -> any Storage

    /// Takes a lock if nobody has it; locks end with the process.
    func tryLock(_ lock: StorageLock) throws(StorageError) -> Bool
    func unlock(_ lock: StorageLock)
    /// Whether another process waits at the gate.
    func gateIsTaken() throws(StorageError) -> Bool
    /// Who has the lock, as far as the system tells.
    func holder(of lock: StorageLock) -> LockHolder?
}

package enum FileAccess: Sendable, Equatable {
    case read
    case readWrite
    /// Makes the file, with mode 0600; it must not exist.
    case create
}

/// The two locks of a base directory (design §6).
package enum StorageLock: Sendable, Hashable {
    /// Whoever has it may write.
    case writer
    /// Whoever has it is next.
    case gate
}

package struct LockHolder: Sendable, Equatable {
    package var process: Int32
    package var command: String
    /// Whether it is stopped, by SIGSTOP or a terminal.
    package var isStopped: Bool

    package init(process: Int32, command: String, isStopped: Bool) {
        self.process = process
        self.command = command
        self.isStopped = isStopped
    }
}

/// An open file of a storage; closed when the last reference goes.
package protocol StorageFile: AnyObject, Sendable {
    var path: StoragePath { get }
    func status() throws(StorageError) -> FileStatus
    /// Reads into `buffer` from index `start` on, as much as fits and there is; returns the number of bytes, 0 at the end.
    func read(into buffer: inout [UInt8], from start: Int, at offset: Int) throws(StorageError) -> Int
    /// Writes all bytes, or throws; then any part of them may have been written.
    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError)
    func truncate(to size: Int) throws(StorageError)
    /// Who may read and write it, as permission bits; of files that are not the ledger's own.
    func setMode(_ mode: UInt32) throws(StorageError)
    /// Makes contents and size durable. After a failure nothing is known of either.
    func synchronize() throws(StorageError)
}
