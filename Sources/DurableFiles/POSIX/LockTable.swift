#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Linux's table of locks: who holds which file.
enum LockTable {
    /// Reads `/proc/locks` and `/proc/PID/stat`; nil where they are not to be had or name nobody.
    static func holder(of identity: FileIdentity) -> LockHolder? {
        for line in lines("/proc/locks") {
            // 12: FLOCK  ADVISORY  WRITE 4711 08:01:131 0 EOF ; a waiter's line has an arrow after the number.
            let fields = line.split(separator: " ")
            guard fields.count >= 8, fields[1] == "FLOCK", let process = Int32(fields[4]), process > 0 else { continue }
            let place = fields[5].split(separator: ":")
            guard place.count == 3, let major = UInt32(place[0], radix: 16), let minor = UInt32(place[1], radix: 16),
                major == Self.major(identity.volume), minor == Self.minor(identity.volume),
                UInt64(place[2]) == identity.file
            else { continue }
            return holder(process)
        }
        return nil
    }

    // Linux packs the two numbers of a device into one, each in two pieces.
    private static func major(_ device: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: device >> 8 & 0xFFF | device >> 32 & 0xFFFF_F000)
    }

    private static func minor(_ device: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: device & 0xFF | device >> 12 & 0xFFFF_FF00)
    }

    private static func holder(_ process: Int32) -> LockHolder {
        // 4711 (name, any bytes) S 1 …
        let stat = lines("/proc/\(process)/stat").first ?? ""
        guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"), open < close else {
            return LockHolder(process: process, command: "?", isStopped: false)
        }
        let state = stat[close...].dropFirst(2).first
        let command = String(stat[stat.index(after: open)..<close])
        return LockHolder(process: process, command: command, isStopped: state == "T" || state == "t")
    }

    private static func lines(_ path: String) -> [Substring] {
        guard let file = try? System.open(path, in: System.currentDirectory, O_RDONLY) else { return [] }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while let count = try? System.read(file.raw, &buffer, from: 0, at: bytes.count), count > 0 {
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }
}
