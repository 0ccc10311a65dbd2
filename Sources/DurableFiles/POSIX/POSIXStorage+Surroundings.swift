import SystemPackage

// What surrounds a base directory, for who looks after the machine; nothing of it is needed to write or read a ledger.

/// What kind of file system a base lies on.
package struct FileSystemKind: Sendable, Equatable {
    package enum Nature: Sendable {
        case disk, network
        /// Gone when the machine stops.
        case memory
        /// On top of others, as in a container, with which it goes.
        case layered
        /// A disk's, without owners and permissions.
        case withoutOwners
        case unknown
    }

    package var name: String
    package var nature: Nature

    package init(_ name: String, _ nature: Nature) {
        self.name = name
        self.nature = nature
    }

    /// By the type number of Linux's `statfs`.
    init(type: UInt32) {
        if let name = NetworkFileSystem.name(ofType: type) {
            self.init(name, .network)
            return
        }
        switch type {
        case 0xEF53: self.init("ext4", .disk)
        case 0x5846_5342: self.init("xfs", .disk)
        case 0x9123_683E: self.init("btrfs", .disk)
        case 0x2FC1_2FC1: self.init("zfs", .disk)
        case 0xF2F5_2010: self.init("f2fs", .disk)
        case 0xCA45_1A4E: self.init("bcachefs", .disk)
        case 0x3153_464A: self.init("jfs", .disk)
        case 0x0102_1994: self.init("tmpfs", .memory)
        case 0x8584_58F6: self.init("ramfs", .memory)
        case 0x794C_7630: self.init("overlay", .layered)
        case 0x6175_6673: self.init("aufs", .layered)
        case 0x4D44: self.init("vfat", .withoutOwners)
        case 0x2011_BAB0: self.init("exfat", .withoutOwners)
        case 0x6573_5546: self.init("fuse", .unknown)
        default: self.init("type 0x" + String(type, radix: 16), .unknown)
        }
    }
}

/// The file system that a base lies on.
package struct VolumeStatus: Sendable, Equatable {
    package var kind: FileSystemKind
    /// For users other than root.
    package var freeByteCount: Int
    /// Files that can still be made; nil where the file system sets no limit.
    package var freeFileCount: Int?

    package init(kind: FileSystemKind, freeByteCount: Int, freeFileCount: Int?) {
        self.kind = kind
        self.freeByteCount = freeByteCount
        self.freeFileCount = freeFileCount
    }
}

/// A directory above a base.
package struct ParentDirectory: Sendable, Equatable {
    /// From the base upwards: `…/..`, `…/../..`.
    package var path: String
    package var status: FileStatus

    package init(path: String, status: FileStatus) {
        self.path = path
        self.status = status
    }
}

extension POSIXStorage {
    package func baseStatus() throws(StorageError) -> FileStatus {
        do throws(Errno) { return try System.status(of: base.raw) } catch {
            throw StorageError(.system(error), "look at", basePath)
        }
    }

    /// Throws unless files can be made in a directory of the base, or in the base itself.
    package func checkWritable(_ directory: StoragePath? = nil) throws(StorageError) {
        do throws(Errno) { try System.checkWritable(directory.map { "\($0)" } ?? ".", in: base.raw) } catch {
            throw StorageError(.system(error), "write to", directory.map { "\(basePath)/\($0)" } ?? basePath)
        }
    }

    package func volume() throws(StorageError) -> VolumeStatus {
        do throws(Errno) {
            let free = try System.freeSpace(base.raw)
            return VolumeStatus(
                kind: FileSystemKind(type: try System.fileSystemType(base.raw)), freeByteCount: free.byteCount,
                freeFileCount: free.fileCount)
        } catch {
            throw StorageError(.system(error), "look at the file system of", basePath)
        }
    }

    /// The directories above the base, the nearest first, up to the root or to one that may not be looked at.
    package func parents() -> [ParentDirectory] {
        var parents: [ParentDirectory] = []
        var below = try? System.status(of: base.raw)
        var path = ".."
        while let status = try? System.status(of: path, in: base.raw), status.identity != below?.identity, parents.count < 256 {
            parents.append(ParentDirectory(path: basePath + "/" + path, status: status))
            below = status
            path += "/.."
        }
        return parents
    }

    /// When a file's contents were last changed, in seconds since 1970.
    package func modificationTime(of path: StoragePath) throws(StorageError) -> Int64 {
        let file = "\(path)"
        do throws(Errno) { return try System.modificationTime(of: file, in: base.raw) } catch {
            throw StorageError(.system(error), "look at", basePath + "/" + file)
        }
    }
}

/// Whether somebody keeps the machine's clock right.
package enum ClockDiscipline {
    /// Nil where the system does not say.
    package static var isSynchronised: Bool? { System.clockIsSynchronised }
}
