import Foundation

/// What the figures were measured on, in the words of the system; no path of it.
struct Machine {
    enum SHA256 {
        case avx512, shaNI, portable
    }

    let processor: String
    let sha256: SHA256
    let memory: String
    let system: String
    let fileSystem: String
    /// How busy others kept it before the first measurement.
    let load: String
    let versions: [String]

    init(bulla: String, folder: String) throws {
        let processorLines = try Self.lines("/proc/cpuinfo")
        let flags = Set(Self.value(of: "flags", in: processorLines).split(separator: " ").map(String.init))
        let kernel = ProcessInfo.processInfo.environment["BULLA_SHA256"]
        sha256 =
            if !flags.contains("sha_ni") || kernel == "portable" {
                .portable
            } else if flags.isSuperset(of: ["avx512f", "avx512bw", "avx512vl"]) && kernel == nil {
                .avx512
            } else {
                .shaNI
            }
        let extensions = [("sha_ni", "SHA-NI"), ("avx512f", "AVX-512")].filter { flags.contains($0.0) }.map(\.1)
        let cores = ProcessInfo.processInfo.processorCount
        processor =
            "\(cores) cores of \(Self.value(of: "model name", in: processorLines)) "
            + (extensions.isEmpty ? "without SHA-NI" : "with " + extensions.joined(separator: " and "))
            + (kernel.map { ", BULLA_SHA256=\($0)" } ?? "")
        memory = "\((ProcessInfo.processInfo.physicalMemory + (1 << 29)) >> 30) GiB of memory"
        let distribution = try Self.lines("/etc/os-release").first { $0.hasPrefix("PRETTY_NAME=") }
        system =
            (distribution?.dropFirst("PRETTY_NAME=".count).trimmingCharacters(in: ["\""]) ?? "Linux")
            + ", Linux " + (try Self.lines("/proc/sys/kernel/osrelease").first ?? "")
        fileSystem = try Self.fileSystem(of: folder)
        load = "load average \(try Self.lines("/proc/loadavg").first?.prefix { $0 != " " } ?? "") at the start"
        versions = try [["swift", "--version"], [bulla, "--version"], ["openssl", "version"], ["sqlite3", "--version"]].map {
            let output = try ChildProcess($0, output: .captured).run().output
            let words = output.split(whereSeparator: \.isWhitespace)
            guard let number = words.first(where: { $0.first?.isNumber == true }) else { return output }
            return "\($0[0].split(separator: "/").last ?? "") \(number)"
        }
    }

    private static func lines(_ path: String) throws -> [String] {
        // Files in /proc have no size, and are read to their end.
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private static func value(of key: String, in lines: [String]) -> String {
        guard let line = lines.first(where: { $0.hasPrefix(key) }), let colon = line.firstIndex(of: ":") else { return "" }
        return line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }

    /// The type of the file system that holds the path: that of the longest mount point above it.
    private static func fileSystem(of path: String) throws -> String {
        let path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path + "/"
        var best = (point: "", type: "unknown")
        for line in try lines("/proc/self/mountinfo") {
            // Fields before " - " are about the mount, the fifth is its point; behind it come type and source.
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), fields.indices.contains(dash + 1) else { continue }
            let point = fields[4] == "/" ? "/" : fields[4] + "/"
            if path.hasPrefix(point), point.count >= best.point.count { best = (point, fields[dash + 1]) }
        }
        guard !["tmpfs", "ramfs"].contains(best.type) else {
            throw ChildProcess.Failure(description: "nothing is durable on \(best.type); name a directory on a disk in TMPDIR")
        }
        return best.type
    }
}
