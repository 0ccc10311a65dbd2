package import SystemPackage

/// Why an operation on the base directory did not succeed.
package struct StorageError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// The system said no; the number says why.
        case system(Errno)
        /// The path holds something that must not be there.
        case refused(Refusal)
        /// A path no longer leads to what was opened.
        case drift
        /// The simulated machine stopped here.
        case crashed
    }

    /// What stands at a path is nothing that a ledger can be kept in.
    package enum Refusal: Sendable, Equatable {
        case symbolicLink
        case hardLinked(count: Int)
        case notRegular(FileStatus.Kind)
        case notDirectory(FileStatus.Kind)
        case foreignOwner(UInt32)
        case networkFileSystem(String)
        case openToOthers(mode: UInt32)
    }

    package var kind: Kind
    /// What was tried: "open", "write", "synchronize" …
    package var operation: String
    /// As the user would write it.
    package var path: String

    package init(_ kind: Kind, _ operation: String, _ path: String) {
        self.kind = kind
        self.operation = operation
        self.path = path
    }

    package var isNotFound: Bool { kind == .system(.noSuchFileOrDirectory) }
    /// The file is not there for us: it does not exist, or we may not read it.
    package var isAbsence: Bool {
        isNotFound || kind == .system(.permissionDenied) || kind == .system(.notPermitted)
    }
    package var isExisting: Bool { kind == .system(.fileExists) || kind == .system(.directoryNotEmpty) }
    package var isOutOfSpace: Bool {
        kind == .system(.noSpace) || kind == .system(.diskQuotaExceeded) || kind == .system(.fileTooLarge)
    }
}

extension StorageError: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .system(let errno): "cannot \(operation) \(path): \(errno)"
        case .refused(let refusal): "\(path) \(refusal)"
        case .drift: "\(path) is no longer the file that was opened: it was renamed, replaced or deleted meanwhile"
        case .crashed: "the simulated machine stopped in \(operation) \(path)"
        }
    }
}

extension StorageError.Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .symbolicLink: "is a symbolic link or is reached through one; name the real path"
        case .hardLinked(let count): "has \(count) hard links; a ledger's file has one name only"
        case .notRegular(let kind): "is a \(kind.rawValue), not a regular file"
        case .notDirectory(let kind): "is a \(kind.rawValue), not a directory"
        case .foreignOwner(let user): "belongs to user \(user); only the owner of the ledger may use it"
        case .networkFileSystem(let name):
            "lies on a network file system (\(name)), where locks and syncs cannot be trusted; "
                + "set BULLA_ALLOW_NETWORK_FS=\(name) to use it all the same"
        case .openToOthers(let mode):
            "can be read by others (mode \(String(mode, radix: 8))); a sealing key must be 600: check who read it, then chmod 600"
        }
    }
}
