import Synchronization

/// A disk in memory that several simulated processes share, each through a `MemoryStorage` of its own.
///
/// It has the durability of a POSIX file system and no more: `synchronize()` of a file makes its contents durable, and
/// its name is durable only once the directory is synchronised. `crashImage` is a disk as a power cut could leave it.
package final class MemoryDisk: Sendable {
    /// Where the base is, for messages.
    package let basePath: String
    /// The user to whom the base and its files belong.
    package let owner: UInt32
    /// What the crash did that made this disk of another.
    package let crashTally: CrashTally
    let volume: Mutex<MemoryVolume>

    /// A disk without a base: `MemoryStorage(constructing:)` makes one.
    package convenience init(basePath: String = "/memory/base", owner: UInt32 = 1000) {
        var volume = MemoryVolume(basePath: basePath, owner: owner)
        _ = volume.newNode(.directory, mode: 0o700)
        self.init(volume)
    }

    /// A disk with an empty, durable base.
    package static func withEmptyBase() -> MemoryDisk {
        let disk = MemoryDisk()
        disk.volume.withLock { volume in
            let base = volume.newNode(.directory, mode: 0o700)
            volume.nodes[MemoryVolume.root].names.make(.add(MemoryVolume.baseName, slot: base))
            volume.nodes[MemoryVolume.root].names.synchronize()
        }
        return disk
    }

    init(_ volume: MemoryVolume, _ tally: CrashTally = CrashTally()) {
        basePath = volume.basePath
        owner = volume.owner
        crashTally = tally
        self.volume = Mutex(volume)
    }

    /// The same disk once more, with nobody using it: a backup, or a copied directory.
    package func copy() -> MemoryDisk {
        var volume = volume.withLock { $0 }
        for slot in volume.nodes.indices { volume.nodes[slot].lockHolder = nil }
        return MemoryDisk(volume)
    }
}
