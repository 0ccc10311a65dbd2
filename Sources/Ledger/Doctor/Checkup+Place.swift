import DurableFiles
import LedgerFormat

// Where the ledger lies
extension Checkup {
    static func fileSystem(_ facts: DoctorFacts) -> [Finding] {
        let name = "file system"
        guard let kind = facts.volume?.kind else { return [.unknown(name, "the system does not say which one it is")] }
        switch kind.nature {
        case .disk: return [.ok(name, "\(kind.name), on a disk of this machine")]
        case .memory:
            return [
                .problem(name, "\(kind.name) lies in memory: all is lost when the machine stops", do: "move the ledger to a disk")
            ]
        case .network:
            return [
                .problem(
                    name, "\(kind.name) is a network file system, where locks and syncs cannot be trusted",
                    do: "move the ledger to a disk of this machine")
            ]
        case .layered:
            return [.advice(name, "\(kind.name): it goes when the container goes", do: "keep the ledger on a volume of its own")]
        case .withoutOwners:
            return [
                .problem(
                    name, "\(kind.name) keeps no owners and permissions: everybody can read the key",
                    do: "move the ledger elsewhere")
            ]
        case .unknown:
            return [.advice(name, "\(kind.name), of which nothing is known here", do: "make sure that its syncs reach a disk")]
        }
    }

    private static let freeByteCountAdvised = 1 << 30
    private static let freeFileCountMin = 16
    private static let freeFileCountAdvised = 1000

    static func space(_ facts: DoctorFacts) -> [Finding] {
        let name = "free space"
        guard let volume = facts.volume else { return [.unknown(name, "the system does not say how much there is")] }
        let room = "\(mebibytes(volume.freeByteCount)) free" + estimate(facts, volume)
        var findings: [Finding] = []
        if volume.freeByteCount < Limits.segment {
            findings.append(.problem(name, "\(room): less than one segment (256 MiB)", do: "make room before appends fail"))
        } else if volume.freeByteCount < freeByteCountAdvised {
            findings.append(.advice(name, "\(room): less than 1 GiB", do: "make room soon"))
        }
        if let files = volume.freeFileCount, files < freeFileCountAdvised {
            let found = "\(files) files can still be made"
            findings.append(
                files < freeFileCountMin
                    ? .problem(name, found, do: "remove files: HEAD is replaced by a new one")
                    : .advice(name, found, do: "remove files soon: HEAD is replaced by a new one"))
        }
        return findings.isEmpty ? [.ok(name, room)] : findings
    }

    /// How many entries of the ledger's mean size fit.
    private static func estimate(_ facts: DoctorFacts, _ volume: VolumeStatus) -> String {
        guard let mean = facts.meanEntryByteCount, volume.freeByteCount > 0 else { return "" }
        return ", room for about \(volume.freeByteCount / mean) more entries"
    }

    private static func mebibytes(_ byteCount: Int) -> String { "\(byteCount >> 20) MiB" }
}

// Who may touch it
extension Checkup {
    static func permissions(_ facts: DoctorFacts) -> [Finding] {
        let name = "permissions"
        var faults: [Finding] = []
        let base = facts.base
        if base.mode & 0o022 != 0 {
            faults.append(
                .problem(
                    name, "others can write in \(facts.basePath) (mode \(octal(base.mode)))",
                    do: "chmod 700 \(word(facts.basePath)), and find out who wrote there"))
        } else if base.mode & 0o077 != 0 {
            faults.append(
                .advice(
                    name, "others can enter or list \(facts.basePath) (mode \(octal(base.mode)))",
                    do: "chmod 700 \(word(facts.basePath))"))
        }
        if facts.user != base.owner {
            faults.append(
                .advice(
                    name, "the ledger belongs to user \(base.owner), and we are user \(facts.user)",
                    do: "write as user \(base.owner): nobody else may"))
        }
        for file in facts.files { if let fault = fault(of: file, facts) { faults.append(fault) } }
        return summary(faults, else: .ok(name, "only user \(base.owner) can write, and read the key"))
    }

    private static func fault(of file: DoctorFacts.File, _ facts: DoctorFacts) -> Finding? {
        let (path, status) = ("\(facts.basePath)/\(file.path)", file.status)
        // A link's own mode means nothing, and the links have a check of their own.
        guard status.kind != .symbolicLink else { return nil }
        if status.owner != facts.base.owner {
            return .problem(
                "permissions", "\(path) belongs to user \(status.owner)",
                do: "find out why; the ledger's files belong to user \(facts.base.owner)")
        }
        if file.path.directory == Layout.keys.name, status.mode & 0o077 != 0 {
            return .problem(
                "permissions", "\(path) can be used by others (mode \(octal(status.mode)))",
                do: "check who read it, then chmod 600 \(word(path))")
        }
        if status.mode & 0o022 != 0 {
            return .problem(
                "permissions", "others can write \(path) (mode \(octal(status.mode)))", do: "chmod go-w \(word(path))")
        }
        return nil
    }

    private static let sticky: UInt32 = 0o1000

    /// Who can write a directory above can put another ledger in the place of this one.
    static func parents(_ facts: DoctorFacts) -> [Finding] {
        let name = "parents"
        var faults: [Finding] = []
        for parent in facts.parents {
            let (status, path) = (parent.status, parent.path)
            // Where names are their owners' (sticky), ours cannot be taken away.
            let isOpen = status.mode & sticky == 0
            if isOpen, status.mode & 0o002 != 0 {
                faults.append(
                    .problem(
                        name, "everybody can rename what lies in \(path) (mode \(octal(status.mode)))",
                        do: "chmod o-w \(word(path))"))
            } else if isOpen, status.mode & 0o020 != 0 {
                faults.append(
                    .advice(
                        name, "a group can rename what lies in \(path) (mode \(octal(status.mode)))",
                        do: "chmod g-w \(word(path)), unless nobody else is in the group"))
            } else if status.owner != 0, status.owner != facts.base.owner {
                faults.append(
                    .advice(
                        name, "user \(status.owner) owns \(path), and can rename what lies in it", do: "keep the ledger elsewhere"
                    ))
            }
        }
        return summary(faults, else: .ok(name, "nobody else can put another ledger in the place of this one"))
    }

    static func links(_ facts: DoctorFacts) -> [Finding] {
        let name = "links"
        let faults = facts.files.compactMap { file -> Finding? in
            let path = "\(facts.basePath)/\(file.path)"
            switch file.status.kind {
            case .directory: return nil
            case .symbolicLink:
                return .problem(
                    name, "\(path) is a symbolic link", do: "find out who made it, and put the real thing in its place")
            case .regular:
                if file.status.linkCount == 1 { return nil }
                return .problem(
                    name, "\(path) has \(file.status.linkCount) hard links", do: "find the other names, and remove them")
            default: return .problem(name, "\(path) is a \(file.status.kind.rawValue)", do: "find out who made it, and remove it")
            }
        }
        return summary(faults, else: .ok(name, "no symbolic and no hard links"))
    }

    private static func octal(_ mode: UInt32) -> String { String(mode, radix: 8) }
}
