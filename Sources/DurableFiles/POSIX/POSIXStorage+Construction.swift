import PlantedDefects
import Synchronization
import SystemPackage

// How a base is made aside. Whoever makes one holds a lock on it to the end, so that one without was left by a process that was killed.

/// A directory `.bulla-init-…` that nobody works in any more; copies of sealing keys may lie in it.
package struct Orphan: Sendable, Equatable {
    package let path: String
    /// Why it is left alone; nil for one that can be removed, or was.
    package let obstacle: String?

    package init(path: String, obstacle: String?) {
        self.path = path
        self.obstacle = obstacle
    }
}

extension POSIXStorage {
    /// Makes an empty directory under a name that `random` gives, and takes the lock that says that somebody works there.
    ///
    ///     mkdirat(0700) | openat flock
    ///
    /// A crash leaves an orphan. Whoever looks for orphans between the two steps may remove it: then another one is made.
    static func makeAside(
        in parent: borrowing Descriptor, _ parentPath: String, random: UInt64, for path: String, name: inout String,
        attemptsLeft: Int = 10
    ) throws(StorageError) -> Descriptor {
        name = asidePrefix + String(random, radix: 16)
        do throws(Errno) {
            try System.makeDirectory(name, in: parent.raw)
        } catch {
            throw StorageError(.system(error), "make", path)
        }
        do throws(StorageError) {
            let made = try DirectoryWalk.step(name, in: parent, parentPath + "/" + name)
            // Where the system has no such locks nobody gets one either, and so nobody removes it.
            let isLocked = planted(.constructionUnlocked) || (try? System.tryLock(made.raw)) != false
            if isLocked, leads(name, in: parent, to: made) { return made }
        } catch {
            guard error.isNotFound else { throw error }
        }
        // Empty, and of no use to anybody.
        try? System.remove(name, in: parent.raw, isDirectory: true)
        guard attemptsLeft > 0 else { throw StorageError(.system(.resourceBusy), "make", path) }
        return try makeAside(
            in: parent, parentPath, random: random &+ 1, for: path, name: &name, attemptsLeft: attemptsLeft - 1)
    }

    /// What processes that were killed have left where a base with this path lies, or would; what cannot be looked at is not told.
    package static func orphans(beside path: String) -> [Orphan] {
        let parts = DirectoryWalk.components(path)
        let isNamed = parts.last.map { $0 != ".." } ?? false
        let parent = isNamed ? (path.isAbsolutePath ? "/" : "./") + parts.dropLast().joined(separator: "/") : path + "/.."
        return orphans(in: parent, removing: false)
    }

    /// Removes those of ours beside a base under construction that nobody can have put there but we; all that were found are told.
    package func removeOrphans() -> [Orphan] {
        guard let construction = construction.withLock({ $0 }) else { preconditionFailure("the base is published already") }
        return Self.orphans(in: construction.parentPath, except: construction.asideName, removing: true)
    }

    /// Removes what lies in a directory; best effort.
    static func removeContents(of directory: borrowing Descriptor) {
        for name in (try? System.names(in: directory)) ?? [] {
            let isDirectory = (try? System.status(of: name, in: directory.raw))?.kind == .directory
            if isDirectory, let inner = try? DirectoryWalk.step(name, in: directory, name) { removeContents(of: inner) }
            try? System.remove(name, in: directory.raw, isDirectory: isDirectory)
        }
    }
}

extension POSIXStorage {
    private static let asidePrefix = ".bulla-init-"
    private static let sticky: UInt32 = 0o1000

    private static func isAside(_ name: String) -> Bool {
        guard name.hasPrefix(asidePrefix), let random = UInt64(name.dropFirst(asidePrefix.count), radix: 16) else { return false }
        return name == asidePrefix + String(random, radix: 16)
    }

    private static func leads(_ name: String, in parent: borrowing Descriptor, to made: borrowing Descriptor) -> Bool {
        let found = try? System.status(of: name, in: parent.raw)
        return found != nil && found?.identity == (try? System.status(of: made.raw))?.identity
    }

    private static func orphans(in parentPath: String, except own: String? = nil, removing: Bool) -> [Orphan] {
        guard let parent = try? DirectoryWalk.open(path: parentPath), let status = try? System.status(of: parent.raw),
            let names = try? System.names(in: parent)
        else { return [] }
        // Whoever can rename what lies there could have us remove a ledger.
        let isGuarded = (status.mode & 0o022 == 0 || status.mode & sticky != 0) && [0, System.user].contains(status.owner)
        let isOurs = isGuarded || planted(.orphanUnguarded)
        let folder = parentPath.hasSuffix("/") ? parentPath : parentPath + "/"
        return names.filter { isAside($0) && $0 != own }.sorted().compactMap { name in
            orphan(name, folder + name, in: parent, isOurs: isOurs, removing: removing)
        }
    }

    /// Nil where somebody is at work, or nothing is there any more.
    private static func orphan(
        _ name: String, _ path: String, in parent: borrowing Descriptor, isOurs: Bool, removing: Bool
    ) -> Orphan? {
        func kept(_ obstacle: String) -> Orphan { Orphan(path: path, obstacle: obstacle) }
        guard let status = try? System.status(of: name, in: parent.raw) else { return nil }
        if status.kind != .directory { return kept("it is a \(status.kind.rawValue)") }
        if status.owner != System.user { return kept("it belongs to user \(status.owner)") }
        guard let found = try? DirectoryWalk.step(name, in: parent, path), let isLocked = try? System.tryLock(found.raw) else {
            return kept("nobody can tell whether somebody works in it")
        }
        guard isLocked, leads(name, in: parent, to: found) else { return nil }
        if status.mode != 0o700 { return kept("its mode is \(String(status.mode, radix: 8)), which nothing of ours has") }
        if !isOurs { return kept("others can rename what lies beside it, and may have given this name to a ledger") }
        if removing {
            removeContents(of: found)
            do throws(Errno) { try System.remove(name, in: parent.raw, isDirectory: true) } catch {
                return kept("it cannot be removed: \(error)")
            }
        }
        return Orphan(path: path, obstacle: nil)
    }
}
