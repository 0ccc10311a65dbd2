import DurableFiles
import Foundation
import TestSupport
import Testing

/// The storages that must behave alike.
enum StorageKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case posix = "POSIX files"
    case memory = "memory"
    case watchedPOSIX = "POSIX files under a fault injector without faults"
    case watchedMemory = "memory under a fault injector without faults"

    var testDescription: String { rawValue }
}

/// A base of one kind, several processes on it, and a tamperer.
struct Bench {
    private enum Place {
        case directory(TemporaryDirectory)
        case disk(MemoryDisk)
    }

    let kind: StorageKind
    let storage: any Storage
    private let place: Place

    /// A base with the directories `ledger` and `keys`.
    init(_ kind: StorageKind) throws {
        self.kind = kind
        switch kind {
        case .posix, .watchedPOSIX:
            let directory = TemporaryDirectory()
            try directory.make("base")
            place = .directory(directory)
        case .memory, .watchedMemory: place = .disk(.withEmptyBase())
        }
        storage = try Self.open(kind, place)
        try storage.makeDirectory(Layout.ledger)
        try storage.makeDirectory(Layout.keys)
        try storage.synchronize(directory: nil)
    }

    /// What another process has.
    func another() throws -> any Storage { try Self.open(kind, place) }

    private static func open(_ kind: StorageKind, _ place: Place) throws -> any Storage {
        let storage: any Storage =
            switch place {
            case .directory(let directory): try POSIXStorage(path: directory("base"))
            case .disk(let disk): try MemoryStorage(disk)
            }
        switch kind {
        case .posix, .memory: return storage
        case .watchedPOSIX, .watchedMemory: return FaultInjectingStorage(storage)
        }
    }

    // The tamperer's work

    func move(_ path: StoragePath, to target: StoragePath) throws {
        switch place {
        case .directory(let directory): try directory.move("base/\(path)", to: "base/\(target)")
        case .disk(let disk): disk.move(path, to: target)
        }
    }

    func delete(_ path: StoragePath) throws {
        switch place {
        case .directory(let directory): try directory.delete("base/\(path)")
        case .disk(let disk): disk.delete(path)
        }
    }

    func put(_ text: String, at path: StoragePath) throws {
        switch place {
        case .directory(let directory):
            if FileManager.default.fileExists(atPath: directory("base/\(path)")) {
                try directory.delete("base/\(path)")
            }
            try directory.write(text: text, to: "base/\(path)")
        case .disk(let disk): disk.put(Array(text.utf8), at: path)
        }
    }

    func hardLink(_ path: StoragePath, as target: StoragePath) throws {
        switch place {
        case .directory(let directory): try directory.hardLink("base/\(target)", to: "base/\(path)")
        case .disk(let disk): disk.link(path, as: target)
        }
    }

    func plantLink(at path: StoragePath) throws {
        switch place {
        case .directory(let directory): try directory.link("base/\(path)", toPath: "/nowhere")
        case .disk(let disk): disk.plant(.symbolicLink, at: path)
        }
    }

    /// Renames the base away; something else may take its place.
    func moveBaseAway(replacing: Bool) throws {
        switch place {
        case .directory(let directory):
            try directory.move("base", to: "moved")
            if replacing { try directory.make("base") }
        case .disk(let disk): disk.replaceBase(withNothing: !replacing)
        }
    }
}

extension Storage {
    func create(_ path: StoragePath, text: String) throws {
        let bytes = Array(text.utf8)
        try create(path, bytes.span)
    }

    func replace(_ path: StoragePath, text: String) throws {
        let bytes = Array(text.utf8)
        try replace(path, bytes.span)
    }

    func keep(_ path: StoragePath, text: String) throws {
        let bytes = Array(text.utf8)
        try keep(path, bytes.span)
    }

    /// Nil if there is no such file.
    func text(of path: StoragePath) throws -> String? {
        guard try status(of: path) != nil else { return nil }
        return String(decoding: try open(path, .read).contents(upTo: 1 << 20), as: UTF8.self)
    }

    func sortedNames(in directory: StoragePath) throws -> [String] { try names(in: directory).sorted() }
}

extension StorageFile {
    func append(text: String, at offset: Int) throws {
        let bytes = Array(text.utf8)
        try append(bytes.span, at: offset)
    }

    func write(text: String, at offset: Int) throws {
        let bytes = Array(text.utf8)
        try write(bytes.span, at: offset)
    }

    func text() throws -> String { String(decoding: try contents(upTo: 1 << 20), as: UTF8.self) }
}

extension StoragePath {
    static let segment = StoragePath("ledger", "00000000000000000001.frames")
    static let key = StoragePath("keys", "current")
}
