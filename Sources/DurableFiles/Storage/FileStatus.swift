/// What makes a file this file: on POSIX its device and inode, held against reuse by an open descriptor (OATH).
///
/// Another platform's notion joins by another meaning of the two numbers.
package struct FileIdentity: Sendable, Hashable {
    package let volume: UInt64
    package let file: UInt64

    package init(volume: UInt64, file: UInt64) {
        self.volume = volume
        self.file = file
    }
}

/// What a file is, without its contents.
package struct FileStatus: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case regular = "regular file"
        case directory
        case symbolicLink = "symbolic link"
        case fifo = "FIFO"
        case device
        case socket
    }

    package var identity: FileIdentity
    package var kind: Kind
    /// In bytes.
    package var size: Int
    package var linkCount: Int
    package var owner: UInt32
    /// Permission bits, as in 0o600.
    package var mode: UInt32

    package init(identity: FileIdentity, kind: Kind, size: Int, linkCount: Int, owner: UInt32, mode: UInt32) {
        self.identity = identity
        self.kind = kind
        self.size = size
        self.linkCount = linkCount
        self.owner = owner
        self.mode = mode
    }
}
