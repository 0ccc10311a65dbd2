import Foundation
import TestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a tamperer does in a directory.
extension TemporaryDirectory {
    /// The path of a name in it, as it stands.
    func callAsFunction(_ name: String) -> String { name.isEmpty ? path : path + "/" + name }

    func make(_ name: String) throws { try call { mkdir(self(name), 0o700) } }
    func write(text: String, to name: String) throws { try Data(text.utf8).write(to: URL(filePath: self(name))) }
    func text(of name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: self(name))), as: UTF8.self)
    }
    /// `target` is taken as it stands.
    func link(_ name: String, toPath target: String) throws { try call { symlink(target, self(name)) } }
    func hardLink(_ name: String, to other: String) throws { try call { Foundation.link(self(other), self(name)) } }
    func move(_ name: String, to target: String) throws { try call { rename(self(name), self(target)) } }
    func delete(_ name: String) throws { try call { Foundation.remove(self(name)) } }
    func makeFIFO(_ name: String) throws { try call { mkfifo(self(name), 0o600) } }
    func makeDevice(_ name: String) throws { try call { mknod(self(name), S_IFCHR | 0o600, makeDeviceNumber(1, 3)) } }
    func setOwner(_ owner: UInt32, of name: String) throws { try call { lchown(self(name), owner, owner) } }

    func makeSocket(_ name: String) throws {
        // A socket's address is 107 bytes at most, so it is bound under a short name and moved.
        let short = "/tmp/bulla-\(UInt32.random(in: 0 ... .max))"
        let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: short.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try call { bound }
        try call { rename(short, self(name)) }
    }

    func names(in name: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self(name)).sorted()
    }

    private func makeDeviceNumber(_ major: UInt64, _ minor: UInt64) -> dev_t { dev_t(major << 8 | minor) }

    private func call(_ body: () -> Int32) throws {
        if body() != 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
}

/// Whether this process may do what only root may.
enum Privilege {
    static let changesOwners = geteuid() == 0
    static let makesDevices: Bool = {
        let directory = TemporaryDirectory()
        return (try? directory.makeDevice("device")) != nil
    }()
}
