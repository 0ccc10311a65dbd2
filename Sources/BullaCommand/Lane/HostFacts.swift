import Lanes
import Ledger
import PlantedDefects
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// Hands pointers to the system, as only the guard's and the journal's files of this folder do too.

/// What is recorded of this machine and its processes.
enum HostFacts {
    /// The machine's name; empty if it has none.
    static let name: String = {
        var bytes = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "" }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()

    /// A process as a lease records it: with its start if it is there now.
    static func process(_ pid: Int32) -> HolderProcess {
        let sighting = sighting(of: pid)
        let start = sighting.ticks.flatMap {
            sighting.space.isEmpty ? nil : HolderProcess.Start(ticks: $0, space: sighting.space)
        }
        return HolderProcess(pid: pid, start: start)
    }

    static func sighting(of pid: Int32) -> ProcessSighting {
        ProcessSighting(pid: pid, space: space, ticks: startTicks(of: pid))
    }

    /// Which boot, and whose numbers and starts: those of a container are not those of its host.
    private static let space: String = {
        let boot = Environment.system.bootTime().boot
        let numbers = Namespaces.name(of: "pid")
        guard !boot.isEmpty, !numbers.isEmpty, Namespaces.processList == .own, let offset = Namespaces.bootClockOffset else {
            return ""
        }
        return boot + " " + numbers + (offset == 0 || planted(.clockOffsetBelieved) ? "" : " \(offset)")
    }()

    /// Says it to who names a process that cannot be looked at here.
    static func sayIfBlind() {
        guard Namespaces.processList != .own else { return }
        Output.error(
            "bulla: the process is recorded as a number that proves nothing, for /proc does not show the processes of this namespace; mount its own"
        )
    }

    /// Field 22 of its `stat`; nil if there is no such process, or it is dead and only not buried.
    private static func startTicks(of pid: Int32) -> UInt64? {
        guard let fields = statFields(of: pid), fields.count > 19, !isDead(fields) else { return nil }
        return UInt64(fields[19])
    }

    private static func stat(of pid: Int32) -> [UInt8]? {
        guard let file = try? FileDescriptor.open(FilePath("/proc/\(pid)/stat"), .readOnly, options: .closeOnExec) else {
            return nil
        }
        // A guard looks at all processes again and again: what it left open would keep it from seeing them.
        defer { try? file.close() }
        return try? unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
            unsafe count = try file.read(into: UnsafeMutableRawBufferPointer(buffer), retryOnInterrupt: true)
        }
    }

    /// Whether a process is dead and only not buried.
    ///
    /// The state is that of the main thread, which may end before the others: the process works on while there are more (field
    /// 20), and a signal to it reaches them.
    static func isDead(_ statFields: [Substring]) -> Bool {
        guard let state = statFields.first, state == "Z" || state == "X" else { return false }
        let threadCount = statFields.count > 17 ? Int(statFields[17]) ?? 0 : 0
        return threadCount < 2 || planted(.mainThreadBelieved)
    }

    /// What `stat` says behind a process's name, its state first; nil if there is no such process.
    static func statFields(of pid: Int32) -> [Substring]? {
        // 4711 (name, any bytes) S 1 …
        guard let bytes = stat(of: pid), let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        return String(decoding: bytes[(close + 1)...], as: UTF8.self).split(separator: " ")
    }
}
