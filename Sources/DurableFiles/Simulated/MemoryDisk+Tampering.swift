import Synchronization

// What a tamperer, or a test, does to the published base behind everybody's back. All of it is durable at once, with
// whatever else waited in the same directory. A path that leads nowhere is a mistake of the test and stops it.
extension MemoryDisk {
    /// All files, sorted, and what else is no directory.
    package func files() -> [StoragePath] {
        tamper { volume, base in
            var paths: [StoragePath] = []
            var directories: [(path: StoragePath?, slot: Int)] = [(nil, base)]
            while let directory = directories.popLast() {
                for (name, slot) in volume.nodes[directory.slot].names.current {
                    let path = directory.path.map { StoragePath($0, name) } ?? StoragePath(name)
                    if volume.nodes[slot].kind == .directory { directories.append((path, slot)) } else { paths.append(path) }
                }
            }
            return paths.sorted()
        }
    }

    /// What is read now; nil if there is no such file.
    package func bytes(of path: StoragePath) -> [UInt8]? {
        tamper { volume, base in
            guard let slot = try? volume.find(path, base: base) else { return nil }
            return volume.nodes[slot].contents.current
        }
    }

    /// Replaces a file's bytes; it stays the same file.
    package func setBytes(of path: StoragePath, to bytes: [UInt8]) {
        change(path) { $0.contents = CachedContents(bytes) }
    }

    /// Changes bits of one byte; the file must have no unsynchronised changes.
    package func flip(_ mask: UInt8, at offset: Int, of path: StoragePath) {
        change(path) { $0.contents.flip(mask, at: offset) }
    }

    /// Puts a new file at a path, replacing what stands there: its identity is another.
    package func put(_ bytes: [UInt8], at path: StoragePath) {
        plant(.regular, at: path)
        setBytes(of: path, to: bytes)
    }

    /// Puts a symbolic link, a FIFO … at a path, replacing what stands there.
    package func plant(_ kind: FileStatus.Kind, at path: StoragePath) {
        names(of: path) { volume, directory in
            let slot = volume.newNode(kind, mode: kind == .directory ? 0o700 : 0o600)
            volume.unlink(path.name, in: directory)
            volume.nodes[directory].names.make(.add(path.name, slot: slot))
        }
    }

    package func delete(_ path: StoragePath) {
        names(of: path) { volume, directory in
            volume.unlink(path.name, in: directory)
            volume.nodes[directory].names.make(.remove(path.name))
        }
    }

    /// Renames a file within its directory, over what stands at the target.
    package func move(_ path: StoragePath, to target: StoragePath) {
        precondition(path.directory == target.directory)
        names(of: path) { volume, directory in
            precondition(volume.nodes[directory].names.current[path.name] != nil, "\(path) does not exist")
            volume.unlink(target.name, in: directory)
            volume.nodes[directory].names.make(.rename(path.name, to: target.name))
        }
    }

    /// Gives a file a second name in the same directory.
    package func link(_ path: StoragePath, as target: StoragePath) {
        precondition(path.directory == target.directory)
        names(of: path) { volume, directory in
            guard let slot = volume.nodes[directory].names.current[path.name] else {
                preconditionFailure("\(path) does not exist")
            }
            volume.nodes[slot].linkCount += 1
            volume.nodes[directory].names.make(.add(target.name, slot: slot))
        }
    }

    package func setOwner(_ owner: UInt32, of path: StoragePath) { change(path) { $0.owner = owner } }

    package func setMode(_ mode: UInt32, of path: StoragePath) { change(path) { $0.mode = mode } }

    /// Renames the base away and, unless told otherwise, puts an empty one in its place.
    package func replaceBase(withNothing: Bool = false) {
        volume.withLock { volume in
            let root = MemoryVolume.root
            volume.nodes[root].names.make(.rename(MemoryVolume.baseName, to: "moved-\(volume.nextIdentity)"))
            if !withNothing {
                let slot = volume.newNode(.directory, mode: 0o700)
                volume.nodes[root].names.make(.add(MemoryVolume.baseName, slot: slot))
            }
            volume.nodes[root].names.synchronize()
        }
    }

    /// What a failed synchronisation lost is no longer read back either, as when the system needs the memory.
    package func evictLostPages() {
        volume.withLock { volume in
            for slot in volume.nodes.indices { volume.nodes[slot].contents.evictLostPages() }
        }
    }
}

extension MemoryDisk {
    private func tamper<Result: Sendable>(_ body: (inout MemoryVolume, Int) -> Result) -> Result {
        volume.withLock { volume in
            guard let base = volume.nodes[MemoryVolume.root].names.current[MemoryVolume.baseName] else {
                preconditionFailure("the disk has no base")
            }
            return body(&volume, base)
        }
    }

    private func change(_ path: StoragePath, _ body: (inout MemoryVolume.Node) -> Void) {
        tamper { volume, base in
            guard let slot = try? volume.find(path, base: base) else { preconditionFailure("\(path) does not exist") }
            body(&volume.nodes[slot])
        }
    }

    private func names(of path: StoragePath, _ body: (inout MemoryVolume, Int) -> Void) {
        tamper { volume, base in
            guard let directory = try? volume.directory(path.parent, base: base) else {
                preconditionFailure("\(path) lies in no directory")
            }
            body(&volume, directory)
            volume.nodes[directory].names.synchronize()
        }
    }
}

extension MemoryVolume {
    fileprivate mutating func unlink(_ name: String, in directory: Int) {
        if let slot = nodes[directory].names.current[name] { nodes[slot].linkCount -= 1 }
    }
}
