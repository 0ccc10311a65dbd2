import DurableFiles
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite("The way to the base is refused when it is crooked")
struct BaseTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = TemporaryDirectory()
        try directory.make("outside")
        try directory.make("outside/inner")
    }

    @Test("A base that is a symbolic link, dangling or not", arguments: ["outside", "absent"])
    func base(_ target: String) throws {
        try directory.link("base", toPath: directory(target))
        expectRefused("base", .symbolicLink, at: "base")
    }

    @Test("A base above which there is a symbolic link, at any height", arguments: ["link/inner", "link/inner/deep"])
    func above(_ path: String) throws {
        try directory.make("outside/inner/deep")
        try directory.link("link", toPath: "outside")
        expectRefused(path, .symbolicLink, at: "link")
    }

    @Test("A link in the middle of the way, also one back into it")
    func middle() throws {
        try directory.make("a")
        try directory.make("a/b")
        try directory.link("a/link", toPath: "../a")
        expectRefused("a/link/b", .symbolicLink, at: "a/link")
        expectRefused("a/link/link/b", .symbolicLink, at: "a/link")
        expectRefused("a/link/../a/b", .symbolicLink, at: "a/link")
    }

    @Test("A file, a FIFO and a socket in place of a directory")
    func others() throws {
        try directory.write(text: "", to: "file")
        try directory.makeFIFO("fifo")
        try directory.makeSocket("socket")
        expectRefused("file", .notDirectory(.regular), at: "file")
        expectRefused("file/base", .notDirectory(.regular), at: "file")
        expectRefused("fifo", .notDirectory(.fifo), at: "fifo")
        expectRefused("socket/base", .notDirectory(.socket), at: "socket")
        let error = StorageError(.refused(.notDirectory(.fifo)), "open", "x/fifo")
        #expect(error.description == "x/fifo is a FIFO, not a directory")
    }

    @Test("A base that is not there")
    func absent() {
        #expect(throws: StorageError(.system(.noSuchFileOrDirectory), "open", directory("absent"))) {
            try POSIXStorage(path: directory("absent"))
        }
    }

    @Test("A plain way, with dots and doubled slashes, is taken")
    func plain() throws {
        let storage = try POSIXStorage(path: directory("outside//./inner/../inner/"))
        try storage.create(Layout.head, text: "x")
        #expect(try directory.text(of: "outside/inner/HEAD") == "x")
        try storage.checkBase()
    }

    @Test("Another user's base, whose owner is told from us", .enabled(if: Privilege.changesOwners, "needs root"))
    func foreign() throws {
        try directory.make("base")
        try directory.setOwner(65534, of: "base")
        try directory.write(text: "theirs", to: "base/HEAD")
        let storage = try POSIXStorage(path: directory("base"))
        #expect(storage.owner == 65534)
        #expect(storage.user == 0)
        let error = StorageError(.refused(.foreignOwner(0)), "open", directory("base/HEAD"))
        #expect(throws: error) { try storage.open(Layout.head, .read) }
        try directory.setOwner(65534, of: "base/HEAD")
        #expect(try storage.text(of: Layout.head) == "theirs")
    }

    @Test("A link slipped in above an open base is drift")
    func slippedIn() throws {
        try directory.make("parent")
        try directory.make("parent/base")
        let storage = try POSIXStorage(path: directory("parent/base"))
        try directory.move("parent", to: "real")
        try directory.link("parent", toPath: "real")
        #expect(throws: StorageError(.drift, "check", directory("parent/base"))) { try storage.checkBase() }
    }

    @Test("Building a base beyond a link is refused")
    func construction() throws {
        try directory.link("link", toPath: "outside")
        let error = #expect(throws: StorageError.self) {
            try POSIXStorage(constructing: directory("link/base"), random: 1)
        }
        #expect(error?.kind == .refused(.symbolicLink))
        #expect(try directory.names(in: "outside") == ["inner"])
    }

    private func expectRefused(
        _ path: String, _ refusal: StorageError.Refusal, at place: String, _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: StorageError(.refused(refusal), "open", directory(place)), sourceLocation: location) {
            try POSIXStorage(path: directory(path))
        }
    }
}
