import PlantedDefects

/// The oath of a core file: it is what it was when it was opened, alone under its name, ours, and a regular file.
package struct Oath: Sendable {
    package let path: StoragePath
    private let identity: FileIdentity

    /// Sworn on an open descriptor, which keeps the identity from being reused.
    package init(_ file: any StorageFile) throws(StorageError) {
        path = file.path
        identity = try file.status().identity
    }

    /// Throws `drift`, or what is wrong with the file, unless the path still leads to it.
    package func check(in storage: any Storage) throws(StorageError) {
        guard let status = try storage.status(of: path) else { throw drift(storage) }
        guard status.identity == identity || planted(.identityUnchecked) else { throw drift(storage) }
        try status.checkRegular(owner: storage.owner, "check", "\(storage.basePath)/\(path)")
    }

    private func drift(_ storage: any Storage) -> StorageError {
        StorageError(.drift, "check", "\(storage.basePath)/\(path)")
    }
}

extension FileStatus {
    /// Throws unless it is a regular file with one link that belongs to `owner`.
    func checkRegular(owner: UInt32, _ operation: String, _ path: @autoclosure () -> String) throws(StorageError) {
        let refusal: StorageError.Refusal?
        if kind == .symbolicLink {
            refusal = .symbolicLink
        } else if kind != .regular, !planted(.anyKindAccepted) {
            refusal = .notRegular(kind)
        } else if linkCount != 1, !planted(.hardLinkAccepted) {
            refusal = .hardLinked(count: linkCount)
        } else if self.owner != owner, !planted(.foreignOwnerAccepted) {
            refusal = .foreignOwner(self.owner)
        } else {
            refusal = nil
        }
        if let refusal { throw StorageError(.refused(refusal), operation, path()) }
    }
}
