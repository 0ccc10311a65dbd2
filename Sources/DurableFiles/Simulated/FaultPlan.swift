package import SystemPackage

/// What goes wrong in one operation.
package enum Fault: Sendable, Hashable {
    /// It fails, and nothing was done.
    case fail(Errno)
    /// That many bytes are written, then it fails. An operation that writes nothing just fails.
    case shortWrite(bytes: Int, Errno)
    /// A synchronisation fails with EIO, and the page cache lies from then on: what was dirty is still read back, counts
    /// as clean, and is not on the disk. Anything but a file's synchronisation is not concerned.
    case failSynchronize
    /// The machine, or the process, stops when so much was done; this operation and all later ones throw `crashed`.
    case crash(Progress)

    package enum Progress: Sendable, Hashable {
        case nothing
        /// The first bytes of a write; any other operation is done if there is at least one.
        case bytes(Int)
        case everything
    }
}

/// When something goes wrong. Operations are numbered from 0, over all files of the storage.
package enum FaultPlan: Sendable {
    case none
    case at([Int: Fault])
    /// One of the faults, with that probability at each operation.
    case random(seed: UInt64, probability: Double, [Fault])
    /// Whatever the function says; it may also do things meanwhile, such as letting another process run.
    case rule(@Sendable (Int, FaultOperation) -> Fault?)
}

/// An operation, as the trace has it.
package struct FaultOperation: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case open, create, status, names, makeDirectory, rename, exchange, remove, synchronizeDirectory, publish, checkBase, lock
        case testGate, fileStatus, read, write, truncate, setMode, synchronize

        /// Whether it changes what is on the disk, or when it gets there.
        package var isChange: Bool {
            switch self {
            case .create, .makeDirectory, .rename, .exchange, .remove, .synchronizeDirectory, .publish, .write, .truncate,
                .setMode, .synchronize:
                true
            case .open, .status, .names, .checkBase, .lock, .testGate, .fileStatus, .read: false
            }
        }
    }

    package var kind: Kind
    /// Nil for the base itself.
    package var path: StoragePath?

    package init(kind: Kind, path: StoragePath?) {
        self.kind = kind
        self.path = path
    }

    package var description: String { path.map { "\(kind.rawValue) \($0)" } ?? kind.rawValue }
}

/// A fault that really happened.
package struct FiredFault: Sendable, Hashable {
    package var number: Int
    package var operation: FaultOperation
    package var fault: Fault
}
