import DurableFiles
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("What is no regular file of ours is refused")
struct RefusalTests {
    static let paths = [Layout.head, StoragePath.segment, .key]
    static let stranger: UInt32 = 65534

    /// What can stand where a file belongs.
    enum Intruder: String, CaseIterable, CustomTestStringConvertible {
        case link = "symbolic link to a file"
        case danglingLink = "dangling symbolic link"
        case loop = "symbolic link to itself"
        case linkInside = "symbolic link to a file beside it"
        case fifo = "FIFO"
        case socket
        case directory
        case hardLink = "hard link"

        var testDescription: String { rawValue }

        var refusal: StorageError.Refusal {
            switch self {
            case .link, .danglingLink, .loop, .linkInside: .symbolicLink
            case .fifo: .notRegular(.fifo)
            case .socket: .notRegular(.socket)
            case .directory: .notRegular(.directory)
            case .hardLink: .hardLinked(count: 2)
            }
        }

        var message: String {
            switch self {
            case .link, .danglingLink, .loop, .linkInside:
                "is a symbolic link or is reached through one; name the real path"
            case .fifo: "is a FIFO, not a regular file"
            case .socket: "is a socket, not a regular file"
            case .directory: "is a directory, not a regular file"
            case .hardLink: "has 2 hard links; a ledger's file has one name only"
            }
        }

        func enter(_ house: House, at path: StoragePath) throws {
            let name = "base/\(path)"
            switch self {
            case .link: try house.directory.link(name, toPath: house.directory("outside/secret"))
            case .danglingLink: try house.directory.link(name, toPath: house.directory("outside/absent"))
            case .loop: try house.directory.link(name, toPath: path.name)
            case .linkInside:
                try house.directory.write(text: "beside", to: name + ".beside")
                try house.directory.link(name, toPath: path.name + ".beside")
            case .fifo: try house.directory.makeFIFO(name)
            case .socket: try house.directory.makeSocket(name)
            case .directory: try house.directory.make(name)
            case .hardLink: try house.directory.hardLink(name, to: "outside/secret")
            }
        }
    }

    /// A base, and beside it what must not be touched.
    struct House {
        let directory: TemporaryDirectory
        let storage: POSIXStorage

        init() throws {
            directory = TemporaryDirectory()
            for name in ["base", "base/ledger", "base/keys", "outside"] { try directory.make(name) }
            try directory.write(text: "secret", to: "outside/secret")
            storage = try POSIXStorage(path: directory("base"))
        }

        func shown(_ path: StoragePath) -> String { directory("base/\(path)") }

        func expectOutsideUntouched() throws {
            #expect(try directory.names(in: "outside") == ["secret"])
            #expect(try directory.text(of: "outside/secret") == "secret")
        }
    }

    @Test("Opening refuses it, by its name, and touches nothing outside", arguments: Intruder.allCases, paths)
    func opening(_ intruder: Intruder, path: StoragePath) throws {
        let house = try House()
        try intruder.enter(house, at: path)
        for access in [FileAccess.read, .readWrite] {
            let error = #expect(throws: StorageError.self) { try house.storage.open(path, access) }
            #expect(error == StorageError(.refused(intruder.refusal), "open", house.shown(path)))
            #expect(error?.description == "\(house.shown(path)) \(intruder.message)")
        }
        try house.expectOutsideUntouched()
    }

    @Test("Creating never writes through it", arguments: Intruder.allCases, paths)
    func creating(_ intruder: Intruder, path: StoragePath) throws {
        let house = try House()
        try intruder.enter(house, at: path)
        #expect(throws: StorageError(.system(.fileExists), "open", house.shown(path))) {
            try house.storage.create(path, text: "overwritten")
        }
        try house.expectOutsideUntouched()
    }

    @Test(
        "Replacing never writes through it, and takes its place where that is a name", arguments: Intruder.allCases,
        paths)
    func replacing(_ intruder: Intruder, path: StoragePath) throws {
        let house = try House()
        try intruder.enter(house, at: path)
        if intruder == .directory {
            #expect(throws: StorageError.self) { try house.storage.replace(path, text: "new") }
        } else {
            try house.storage.replace(path, text: "new")
            #expect(try house.storage.text(of: path) == "new")
        }
        try house.expectOutsideUntouched()
    }

    @Test("What waits under the name of a replacement is removed, not written through", arguments: Intruder.allCases)
    func aside(_ intruder: Intruder) throws {
        let house = try House()
        try intruder.enter(house, at: StoragePath("HEAD.new"))
        if intruder == .directory {
            #expect(throws: StorageError.self) { try house.storage.replace(Layout.head, text: "new") }
        } else {
            try house.storage.replace(Layout.head, text: "new")
            #expect(try house.storage.text(of: Layout.head) == "new")
        }
        try house.expectOutsideUntouched()
    }

    @Test(
        "A device is refused", .enabled(if: Privilege.makesDevices, "needs the right to make devices"), arguments: paths
    )
    func device(_ path: StoragePath) throws {
        let house = try House()
        try house.directory.makeDevice("base/\(path)")
        let error = StorageError(.refused(.notRegular(.device)), "open", house.shown(path))
        #expect(throws: error) { try house.storage.open(path, .read) }
        #expect(throws: error) { try house.storage.open(path, .readWrite) }
        #expect(error.description.hasSuffix("is a device, not a regular file"))
    }

    @Test("Another user's file is refused", .enabled(if: Privilege.changesOwners, "needs root"), arguments: paths)
    func foreignFile(_ path: StoragePath) throws {
        let house = try House()
        try house.storage.create(path, text: "theirs")
        let file = try house.storage.open(path, .read)
        let oath = try Oath(file)
        try house.directory.setOwner(Self.stranger, of: "base/\(path)")
        let refusal = StorageError.Kind.refused(.foreignOwner(Self.stranger))
        let error = StorageError(refusal, "open", house.shown(path))
        #expect(throws: error) { try house.storage.open(path, .read) }
        #expect(throws: error) { try house.storage.open(path, .readWrite) }
        #expect(throws: StorageError(refusal, "check", house.shown(path))) { try oath.check(in: house.storage) }
        #expect(error.description.hasSuffix("belongs to user 65534; only the owner of the ledger may use it"))
    }

    @Test(
        "A directory of the base that is a link, a file or a FIFO is refused for every operation",
        arguments: [Layout.ledger, Layout.keys], ["link", "dangling", "file", "fifo"])
    func directory(_ directory: StoragePath, what: String) throws {
        let house = try House()
        let name = "base/\(directory)"
        try house.directory.delete(name)
        let refusal: StorageError.Refusal
        switch what {
        case "link":
            try house.directory.link(name, toPath: house.directory("outside"))
            refusal = .symbolicLink
        case "dangling":
            try house.directory.link(name, toPath: house.directory("absent"))
            refusal = .symbolicLink
        case "file":
            try house.directory.write(text: "", to: name)
            refusal = .notDirectory(.regular)
        default:
            try house.directory.makeFIFO(name)
            refusal = .notDirectory(.fifo)
        }
        let storage = house.storage
        let (path, other) = (StoragePath(directory.name, "secret"), StoragePath(directory.name, "other"))
        let error = StorageError(.refused(refusal), "open", house.shown(directory))
        #expect(throws: error) { try storage.open(path, .read) }
        #expect(throws: error) { try storage.open(path, .readWrite) }
        #expect(throws: error) { try storage.open(other, .create) }
        #expect(throws: error) { try storage.status(of: path) }
        #expect(throws: error) { try storage.names(in: directory) }
        #expect(throws: error) { try storage.makeDirectory(other) }
        #expect(throws: error) { try storage.rename(path, to: other) }
        #expect(throws: error) { try storage.remove(path) }
        #expect(throws: error) { try storage.synchronize(directory: directory) }
        try house.expectOutsideUntouched()
    }

    @Test("Directories change places through no link on the way", arguments: [0, 1])
    func exchange(depth: Int) throws {
        let house = try House()
        try house.directory.make("outside/beside")
        try house.directory.write(text: "theirs", to: "outside/beside/file")
        try house.directory.write(text: "ours", to: "base/ledger/file")
        let beside = StoragePath(Layout.quarantine, "beside")
        if depth == 0 {
            try house.directory.link("base/quarantine", toPath: house.directory("outside"))
            #expect(throws: StorageError(.refused(.symbolicLink), "open", house.shown(Layout.quarantine))) {
                try house.storage.swap(Layout.ledger, with: beside)
            }
            #expect(throws: StorageError.self) { try house.storage.names(in: beside) }
            #expect(throws: StorageError.self) { try house.storage.open(StoragePath(beside, "file"), .read) }
        } else {
            try house.directory.make("base/quarantine")
            try house.directory.link("base/quarantine/beside", toPath: house.directory("outside/beside"))
            // A link is no directory: nothing may come to stand behind it.
            #expect(throws: StorageError.self) { try house.storage.swap(Layout.ledger, with: beside) }
            #expect(throws: StorageError.self) { try house.storage.names(in: beside) }
        }
        #expect(try house.directory.text(of: "base/ledger/file") == "ours")
        #expect(try house.directory.text(of: "outside/beside/file") == "theirs")
    }

    @Test("A gate that is reached through a link is not locked")
    func gate() throws {
        let house = try House()
        try house.directory.delete("base/keys")
        try house.directory.link("base/keys", toPath: house.directory("outside"))
        #expect(throws: StorageError.self) { try house.storage.tryLock(.gate) }
        #expect(throws: StorageError.self) { try house.storage.gateIsTaken() }
    }

    @Test("A name with a slash, a dot name or no name stops the process")
    func names() async {
        await #expect(processExitsWith: .failure) { _ = StoragePath("..") }
        await #expect(processExitsWith: .failure) { _ = StoragePath(".") }
        await #expect(processExitsWith: .failure) { _ = StoragePath("") }
        await #expect(processExitsWith: .failure) { _ = StoragePath("ledger/x") }
        await #expect(processExitsWith: .failure) { _ = StoragePath("..", "x") }
        await #expect(processExitsWith: .failure) { _ = StoragePath("ledger", "..") }
        await #expect(processExitsWith: .failure) { _ = StoragePath("ledger", "x\0y") }
        await #expect(processExitsWith: .failure) { _ = StoragePath(StoragePath("quarantine", "x"), "..") }
        await #expect(processExitsWith: .failure) { _ = StoragePath("quarantine/x", "y") }
        await #expect(processExitsWith: .success) { _ = StoragePath("ledger", "..x") }
    }

    @Test("A file is not renamed into another directory")
    func renaming() async {
        await #expect(processExitsWith: .failure) {
            try MemoryStorage(.withEmptyBase()).rename(StoragePath("ledger", "x"), to: StoragePath("keys", "x"))
        }
        await #expect(processExitsWith: .failure) {
            try POSIXStorage(path: "/tmp").rename(StoragePath("ledger", "x"), to: StoragePath("x"))
        }
    }
}
