import Synchronization
import SystemPackage

/// One process's view of a `MemoryDisk`; its locks go with it.
package final class MemoryStorage: Storage {
    package let disk: MemoryDisk
    /// The number that lock holders are told apart by.
    package let process: Int32
    package var basePath: String { disk.basePath }
    package var owner: UInt32 { disk.owner }
    package let user: UInt32
    private let base: Int
    private let session: Mutex<Session>

    private struct Session {
        /// The name of a base that is not published yet.
        var aside: String?
        /// The slot of the directory that we hold as gate.
        var gate: Int?
    }

    /// Opens the base of a disk, as its owner or as another user.
    package init(_ disk: MemoryDisk, user: UInt32? = nil) throws(StorageError) {
        self.disk = disk
        self.user = user ?? disk.owner
        (base, process) = try disk.volume.withLock { volume throws(StorageError) in
            guard let base = volume.nodes[MemoryVolume.root].names.current[MemoryVolume.baseName] else {
                throw volume.failure(.noSuchFileOrDirectory, "open", nil)
            }
            volume.lastSession += 1
            return (base, volume.lastSession)
        }
        session = Mutex(Session())
    }

    /// Makes a base aside, for `publish` to put in place.
    package init(constructing disk: MemoryDisk) throws(StorageError) {
        self.disk = disk
        user = disk.owner
        (base, process) = try disk.volume.withLock { volume throws(StorageError) in
            if volume.nodes[MemoryVolume.root].names.current[MemoryVolume.baseName] != nil {
                throw volume.failure(.fileExists, "make", nil)
            }
            volume.lastSession += 1
            let base = volume.newNode(.directory, mode: 0o700)
            volume.nodes[MemoryVolume.root].names.make(.add("aside-\(volume.lastSession)", slot: base))
            return (base, volume.lastSession)
        }
        session = Mutex(Session(aside: "aside-\(process)"))
    }

    deinit { releaseLocks() }

    /// Gives back whatever locks this process has, as the end of a process does.
    package func releaseLocks() {
        unlock(.writer)
        unlock(.gate)
    }

    /// Lets others see this process as stopped, as by SIGSTOP.
    package func setStopped(_ isStopped: Bool) {
        disk.volume.withLock { volume in
            if isStopped { volume.stoppedSessions.insert(process) } else { volume.stoppedSessions.remove(process) }
        }
    }
}

// Files and names
extension MemoryStorage {
    package func open(_ path: StoragePath, _ access: FileAccess) throws(StorageError) -> any StorageFile {
        let slot = try disk.volume.withLock { volume throws(StorageError) in
            try volume.open(path, access, base: base)
        }
        return MemoryFile(disk, slot, path, isWritable: access != .read)
    }

    package func status(of path: StoragePath) throws(StorageError) -> FileStatus? {
        try disk.volume.withLock { volume throws(StorageError) in
            do throws(StorageError) {
                return try volume.find(path, base: base).map { volume.status(ofSlot: $0) }
            } catch {
                if error.isNotFound { return nil }
                throw error
            }
        }
    }

    /// Sorted backwards: the same in every run, and no help to anyone who forgets to sort.
    package func names(in directory: StoragePath) throws(StorageError) -> [String] {
        try disk.volume.withLock { volume throws(StorageError) in
            volume.nodes[try volume.directory(directory, base: base)].names.current.keys.sorted(by: >)
        }
    }

    package func makeDirectory(_ path: StoragePath) throws(StorageError) {
        try disk.volume.withLock { volume throws(StorageError) in
            _ = try volume.add(.directory, mode: 0o700, at: path, "make", base: base)
        }
    }

    package func rename(_ path: StoragePath, to target: StoragePath) throws(StorageError) {
        precondition(path.directory == target.directory, "a file is renamed within its directory")
        try disk.volume.withLock { volume throws(StorageError) in try volume.rename(path, to: target, base: base) }
    }

    package func exchange(_ one: StoragePath, with other: StoragePath) throws(StorageError) {
        try disk.volume.withLock { volume throws(StorageError) in try volume.exchange(one, with: other, base: base) }
    }

    package func remove(_ path: StoragePath) throws(StorageError) {
        try disk.volume.withLock { volume throws(StorageError) in try volume.remove(path, base: base) }
    }

    package func synchronize(directory: StoragePath?) throws(StorageError) {
        try disk.volume.withLock { volume throws(StorageError) in
            volume.synchronizeNames(of: try volume.directory(directory, base: base))
        }
    }
}

// The base itself
extension MemoryStorage {
    package func publish() throws(StorageError) {
        try session.withLock { session throws(StorageError) in
            guard let aside = session.aside else { preconditionFailure("the base is published already") }
            try disk.volume.withLock { volume throws(StorageError) in try volume.publish(base: base, aside: aside) }
            session.aside = nil
        }
    }

    package func reopened() throws(StorageError) -> any Storage { try MemoryStorage(disk, user: user) }

    package func checkBase() throws(StorageError) {
        if session.withLock({ $0.aside != nil }) { return }
        try disk.volume.withLock { volume throws(StorageError) in
            guard volume.nodes[MemoryVolume.root].names.current[MemoryVolume.baseName] == base else {
                throw StorageError(.drift, "check", basePath)
            }
        }
    }
}

// Locks: one belongs to the node that was locked, as `flock` does, and stays with it when it is renamed.
extension MemoryStorage {
    package func tryLock(_ lock: StorageLock) throws(StorageError) -> Bool {
        try session.withLock { session throws(StorageError) in
            let locked: Int? = try disk.volume.withLock { volume throws(StorageError) in
                let slot = try slot(of: lock, in: volume)
                if let holder = volume.nodes[slot].lockHolder {
                    // The gate is opened anew each time, so its holder cannot take it twice.
                    return lock == .writer && holder == process ? slot : nil
                }
                volume.nodes[slot].lockHolder = process
                return slot
            }
            if lock == .gate, let locked { session.gate = locked }
            return locked != nil
        }
    }

    package func unlock(_ lock: StorageLock) {
        session.withLock { session in
            guard let slot = lock == .writer ? base : session.gate else { return }
            disk.volume.withLock { volume in
                if volume.nodes[slot].lockHolder == process { volume.nodes[slot].lockHolder = nil }
            }
            if lock == .gate { session.gate = nil }
        }
    }

    package func gateIsTaken() throws(StorageError) -> Bool {
        try disk.volume.withLock { volume throws(StorageError) in
            volume.nodes[try slot(of: .gate, in: volume)].lockHolder != nil
        }
    }

    package func holder(of lock: StorageLock) -> LockHolder? {
        disk.volume.withLock { volume in
            guard let slot = try? slot(of: lock, in: volume), let process = volume.nodes[slot].lockHolder else {
                return nil
            }
            let isStopped = volume.stoppedSessions.contains(process)
            return LockHolder(process: process, command: "simulated", isStopped: isStopped)
        }
    }

    private func slot(of lock: StorageLock, in volume: MemoryVolume) throws(StorageError) -> Int {
        lock == .writer ? base : try volume.directory(Layout.keys, base: base)
    }
}
