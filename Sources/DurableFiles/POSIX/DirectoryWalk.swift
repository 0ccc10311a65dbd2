import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Opens directories component by component, following no symbolic link anywhere on the way.
///
/// A name is looked up in a directory that is open already, so nobody can slip a link under the walk.
enum DirectoryWalk {
    /// Opens the directory that `path` leads to, from `/` or from the working directory.
    ///
    /// Linux does the same walk in one call. Where a kernel or a sandbox has it not, or it fails, the steps are taken
    /// here, and the one that fails is named.
    static func open(path: String) throws(StorageError) -> Descriptor {
        if let found = System.openDirectory(withoutLinks: path) { return found }
        let parts = components(path)
        var current: Descriptor
        do throws(Errno) {
            let start = path.isAbsolutePath ? "/" : "."
            current = try System.open(start, in: System.currentDirectory, O_RDONLY | O_DIRECTORY)
        } catch {
            throw StorageError(.system(error), "open", path)
        }
        var walked = path.isAbsolutePath ? "" : "."
        for part in parts {
            walked += "/" + part
            current = try step(part, in: current, walked)
        }
        return current
    }

    /// Which directory `path` leads to, by the same walk.
    static func identity(ofDirectory path: String) throws(StorageError) -> FileIdentity {
        if let found = System.directoryStatus(withoutLinks: path) { return found.identity }
        let found = try open(path: path)
        do throws(Errno) { return try System.status(of: found.raw).identity } catch {
            throw StorageError(.system(error), "look at", path)
        }
    }

    /// One step: a directory's descriptor, or why the name leads to none.
    static func step(
        _ name: String, in directory: borrowing Descriptor, _ walked: String
    ) throws(StorageError) -> Descriptor {
        do throws(Errno) {
            return try System.open(name, in: directory.raw, O_RDONLY | O_DIRECTORY)
        } catch {
            guard error == .notDirectory || error == .tooManySymbolicLinkLevels,
                let status = try? System.status(of: name, in: directory.raw), status.kind != .directory
            else { throw StorageError(.system(error), "open", walked) }
            let refusal: StorageError.Refusal =
                status.kind == .symbolicLink ? .symbolicLink : .notDirectory(status.kind)
            throw StorageError(.refused(refusal), "open", walked)
        }
    }

    /// The path without empty components and `.`; `..` stays, a directory's parent is no link.
    static func components(_ path: String) -> [String] {
        path.pathParts().filter { $0 != "." }
    }
}

/// File systems on which another machine may write, and locks and syncs mean little.
enum NetworkFileSystem {
    /// The name of a file system type number of Linux's `statfs`, if it is one of the network.
    static func name(ofType type: UInt32) -> String? {
        switch type {
        case 0x6969: "nfs"
        case 0xFF53_4D42: "cifs"
        case 0xFE53_4D42: "smb2"
        case 0x517B: "smb"
        case 0x5346_414F: "afs"
        case 0x6B41_4653: "kafs"
        case 0x00C3_6400: "ceph"
        case 0x0BD0_0BD0: "lustre"
        case 0x0102_1997: "9p"
        case 0x7375_7245: "coda"
        case 0x564C: "ncp"
        case 0x4750_4653: "gpfs"
        case 0x0116_1970: "gfs2"
        case 0x7461_636F: "ocfs2"
        case 0x1980_0202: "beegfs"
        default: nil
        }
    }
}
