import Foundation

/// A small ext4 in a file, from which the power can be taken.
///
/// It is mounted where nobody else sees it: the process that uses this lives in a mount namespace of its own, and whatever
/// becomes of it, mount and loop device go with it.
final class PowerCutDisk {
    private let image: String
    let path: String
    private let options: String

    /// - Parameter options: of `mount`, behind `loop`.
    init(in place: String, options: [String], blockSize: Int) throws {
        image = place + "/image"
        path = place + "/disk"
        self.options = (["loop"] + options).joined(separator: ",")
        mkdir(path, 0o700)
        guard FileManager.default.createFile(atPath: image, contents: nil), truncate(image, 24 << 20) == 0 else {
            throw HarnessError("an image in \(place)", errno)
        }
        try Self.run("mkfs.ext4", ["-q", "-F", "-b", String(blockSize), image])
        try mount()
    }

    deinit { _ = umount2(path, Int32(MNT_DETACH)) }

    /// Everything that is not on the disk yet is lost, as of now: ext4 stops, and its journal's rest is not written.
    func cut() throws {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw HarnessError("open \(path)", errno) }
        defer { close(directory) }
        // EXT4_IOC_SHUTDOWN is _IOR('X', 125, __u32); 2 is NOLOGFLUSH.
        var flags: UInt32 = 2
        guard ioctl(directory, 0x8004_587D, &flags) == 0 else { throw HarnessError("shutdown of \(path)", errno) }
    }

    /// The machine starts again: the journal is replayed.
    func restart() throws {
        guard umount2(path, 0) == 0 else { throw HarnessError("unmount of \(path)", errno) }
        try mount()
    }

    private func mount() throws {
        // Another process may be quicker at the free loop device.
        for attempt in 1...10 {
            let result = try Child.run("mount", ["-t", "ext4", "-o", options, image, path])
            if result.code == 0 { return }
            if attempt == 10 { throw HarnessError("mount: \(result.error)") }
        }
    }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let result = try Child.run(program, arguments)
        guard result.code == 0 else { throw HarnessError("\(program): \(result.error)") }
    }
}
