import DurableFiles
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("Nobody slips a link under a path that is being opened")
struct RaceTests {
    private static let attempts = 5000

    @Test("A directory that is swapped with a link leads inside or nowhere")
    func directory() throws {
        let directory = try house()
        let storage = try POSIXStorage(path: directory("base"))
        let swaps = Swapper {
            try directory.move("base/ledger", to: "base/parked")
            try directory.link("base/ledger", toPath: directory("outside"))
            try directory.delete("base/ledger")
            try directory.move("base/parked", to: "base/ledger")
        }
        try attempt(storage, StoragePath("ledger", "file"))
        #expect(swaps.end() > 0)
        try expectOutsideUntouched(directory)
    }

    @Test("A file that is swapped with a link leads inside or nowhere")
    func file() throws {
        let directory = try house()
        let storage = try POSIXStorage(path: directory("base"))
        let swaps = Swapper {
            try directory.move("base/ledger/file", to: "base/ledger/parked")
            try directory.link("base/ledger/file", toPath: directory("outside/file"))
            try directory.move("base/ledger/parked", to: "base/ledger/file")
        }
        try attempt(storage, StoragePath("ledger", "file"))
        #expect(swaps.end() > 0)
        try expectOutsideUntouched(directory)
    }

    @Test("A base that is swapped with a link is opened as itself or not at all")
    func base() throws {
        let directory = try house()
        let swaps = Swapper {
            try directory.move("base", to: "parked")
            try directory.link("base", toPath: directory("outside"))
            try directory.delete("base")
            try directory.move("parked", to: "base")
        }
        for _ in 0..<Self.attempts {
            guard let storage = try? POSIXStorage(path: directory("base")) else { continue }
            #expect(try storage.text(of: StoragePath("ledger", "file")) == "inside")
        }
        #expect(swaps.end() > 0)
        try expectOutsideUntouched(directory)
    }

    private func house() throws -> TemporaryDirectory {
        let directory = TemporaryDirectory()
        for name in ["base", "base/ledger", "outside", "outside/ledger"] { try directory.make(name) }
        try directory.write(text: "inside", to: "base/ledger/file")
        for name in ["outside/file", "outside/ledger/file"] { try directory.write(text: "outside", to: name) }
        return directory
    }

    /// Reads, writes and creates; whatever opens must be the file inside.
    private func attempt(_ storage: any Storage, _ path: StoragePath) throws {
        for number in 0..<Self.attempts {
            if let file = try? storage.open(path, number % 2 == 0 ? .read : .readWrite) {
                try #require(try file.text() == "inside")
                if number % 2 == 1 { try file.write(text: "inside", at: 0) }
            }
            let created = StoragePath("ledger", "created-\(number % 10)")
            if (try? storage.open(created, .create)) != nil { try? storage.remove(created) }
        }
    }

    private func expectOutsideUntouched(_ directory: TemporaryDirectory) throws {
        #expect(try directory.names(in: "outside") == ["file", "ledger"])
        #expect(try directory.text(of: "outside/file") == "outside")
        #expect(try directory.text(of: "outside/ledger/file") == "outside")
    }
}

/// A thread that does something over and over, and has done it once before anybody goes on.
private final class Swapper: Sendable {
    private let isEnding = Atomic(false)
    private let rounds = Atomic(0)
    private let started = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ round: @escaping @Sendable () throws -> Void) {
        Thread.detachNewThread { [self] in
            while !isEnding.load(ordering: .acquiring) {
                do { try round() } catch { Issue.record("a swap failed: \(error)") }
                if rounds.add(1, ordering: .relaxed).newValue == 1 { started.signal() }
            }
            ended.signal()
        }
        started.wait()
    }

    /// Says how many rounds there were.
    func end() -> Int {
        isEnding.store(true, ordering: .releasing)
        ended.wait()
        return rounds.load(ordering: .relaxed)
    }
}
