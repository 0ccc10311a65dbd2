import PlantedDefects

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// Hands pointers to the system, to read what it says of this process.

/// The namespaces of this process: what it sees of the machine's numbers and clocks.
package enum Namespaces {
    /// By how much the clock since the boot is ahead here of the machine's own, in microseconds; 0 where the system has no namespaces of time.
    /// Nil if that is not to be known.
    package static let bootClockOffset: Int64? = {
        guard let text = contents(of: "/proc/self/timens_offsets") else { return 0 }
        // It tells of the children to come, who may be in another one than this process.
        return name(of: "time") == name(of: "time_for_children") ? bootClockOffset(in: text) : nil
    }()

    /// Reads lines `CLOCK SECONDS NANOSECONDS`, where the nanoseconds are added, also to negative seconds.
    package static func bootClockOffset(in text: String) -> Int64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 3, words[0] == "boottime", let seconds = Int64(words[1]), let nanoseconds = Int64(words[2]),
                abs(Double(seconds)) < 1e12
            else { continue }
            return seconds * 1_000_000 + nanoseconds / 1000
        }
        return nil
    }

    /// Whose processes `/proc` shows.
    package enum ProcessList: Sendable {
        case own
        /// Those of another namespace: its numbers are other processes' here.
        case foreign
        /// It is not there.
        case absent
    }

    package static let processList: ProcessList = {
        guard let number = link("/proc/self") else { return .absent }
        return number == String(getpid()) || planted(.foreignProcessesBelieved) ? .own : .foreign
    }()

    /// The name of a namespace, such as `pid:[4026531836]`; empty where the system does not say.
    package static func name(of kind: String) -> String {
        link("/proc/self/ns/" + kind) ?? ""
    }

    private static func link(_ path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 128)
        let count = unsafe readlink(path, &bytes, bytes.count)
        return count < 0 ? nil : String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// A small file of the system's.
    static func contents(of path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = unsafe bytes.withUnsafeMutableBytes { buffer in unsafe read(file, buffer.baseAddress, buffer.count) }
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
