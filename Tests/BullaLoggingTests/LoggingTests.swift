import Bulla
import BullaLogging
import CanonicalJSON
import Foundation
import Logging
import TestSupport
import Testing

// What a Swift program sees of the handler: loggers of swift-log, without a bootstrap of the whole process.
@Suite("A logger of swift-log that writes to the ledger")
struct LoggingTests {
    private let directory = TemporaryDirectory()

    private func freshLedger() throws -> LedgerDirectory {
        let ledger = LedgerDirectory(directory.path + "/ledger", stateFolder: .none)
        try ledger.create()
        return ledger
    }

    private struct Line {
        var action: String
        var actor: String
        var body: JSON
    }

    /// What was logged, in the ledger's order.
    private func lines(_ ledger: LedgerDirectory) throws -> [Line] {
        try ledger.fold(into: []) { lines, event in
            guard event.action.hasPrefix("log."), let body = try? JSON(parsing: event.body) else { return }
            lines.append(Line(action: event.action, actor: event.actor, body: body))
        }
    }

    @Test("a line's level, label, message, place and nested metadata become the body; the label names the actor")
    func body() async throws {
        let ledger = try freshLedger()
        let log = try LedgerLog(ledger)
        var logger = Logger(label: "shop.orders") { log.handler(label: $0) }
        logger[metadataKey: "request"] = "r1"
        logger.warning(
            "order \"4711\" taken\n", metadata: ["list": ["a", .stringConvertible(7)], "deep": ["er": ["é": "x"]]],
            source: "Shop", file: "Shop/Order.swift", function: "take()", line: 12)
        try await log.flush()
        let line = try #require(try lines(ledger).first)
        #expect(line.action == "log.line" && line.actor == "service:shop.orders")
        var body = try #require(line.body.object)
        #expect(body["time"]?.string?.hasSuffix("Z") == true)
        body["time"] = nil
        #expect(
            body == [
                "level": "warning", "label": "shop.orders", "message": "order \"4711\" taken\n", "source": "Shop",
                "file": "Shop/Order.swift", "function": "take()", "line": 12,
                "metadata": ["request": "r1", "list": ["a", "7"], "deep": ["er": ["é": "x"]]],
            ])
        #expect(try await ledger.verify().verdict == .intact)
    }

    @Test("lines below the logger's level are not recorded, and an actor that was given counts for all loggers")
    func levels() async throws {
        let ledger = try freshLedger()
        let log = try LedgerLog(ledger, actor: "process:shop")
        var logger = Logger(label: "a") { log.handler(label: $0) }
        for level in Logger.Level.allCases { logger.log(level: level, "\(level)") }
        logger.logLevel = .error
        for level in Logger.Level.allCases { logger.log(level: level, "again \(level)") }
        try await log.flush()
        let lines = try lines(ledger)
        #expect(
            lines.map { $0.body["message"]?.string } == [
                "info", "notice", "warning", "error", "critical", "again error", "again critical",
            ])
        #expect(lines.allSatisfy { $0.actor == "process:shop" })
    }

    private enum Request {
        @TaskLocal static var id = "none"
    }

    @Test("what a metadata provider says stands over the logger's own, and under the line's")
    func provider() async throws {
        let ledger = try freshLedger()
        let log = try LedgerLog(ledger)
        let provider = Logger.MetadataProvider { ["request": "\(Request.id)", "by": "provider"] }
        var logger = Logger(label: "a") { label in
            var handler = log.handler(label: label)
            handler.metadataProvider = provider
            return handler
        }
        logger[metadataKey: "request"] = "logger"
        logger[metadataKey: "own"] = "logger"
        Request.$id.withValue("r7") { logger.info("one") }
        logger.info("two", metadata: ["by": "line"])
        try await log.flush()
        let metadata = try lines(ledger).map { $0.body["metadata"] }
        #expect(
            metadata == [
                ["request": "r7", "by": "provider", "own": "logger"], ["request": "none", "by": "line", "own": "logger"],
            ])
    }

    @Test("8 tasks log 100 lines each: behind flush all are there, each task's in its order")
    func together() async throws {
        let ledger = try freshLedger()
        let log = try LedgerLog(ledger)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    let logger = Logger(label: "task.\(task)") { log.handler(label: $0) }
                    for line in 0..<100 { logger.info("\(line)") }
                }
            }
        }
        try await log.flush()
        var messages: [String: [String]] = [:]
        for line in try lines(ledger) { messages[line.actor, default: []].append(line.body["message"]?.string ?? "") }
        #expect(messages.count == 8)
        for task in 0..<8 { #expect(messages["service:task.\(task)"] == (0..<100).map(String.init)) }
        #expect(log.lostCount == 0)
        #expect(try await ledger.verify().verdict == .intact)
    }

    @Test("what finds no room is counted, and an entry says how many lines are missing at its place")
    func queueFull() async throws {
        let ledger = try freshLedger()
        let log = try LedgerLog(ledger, capacity: 5)
        let logger = Logger(label: "a") { log.handler(label: $0) }
        try FileManager.default.moveItem(atPath: directory.path("ledger"), toPath: directory.path("away"))
        // While the ledger is not there nothing leaves the queue.
        logger.info("0")
        await #expect(throws: LedgerFailure.self) { try await log.flush() }
        for line in 1..<12 { logger.info("\(line)") }
        #expect(log.lostCount == 7)
        try FileManager.default.moveItem(atPath: directory.path("away"), toPath: directory.path("ledger"))
        try await log.flush()
        logger.info("12")
        try await log.close()
        logger.info("behind the close")
        #expect(log.lostCount == 8)
        let lines = try lines(ledger)
        #expect(
            lines.map { $0.body["message"]?.string?.prefix(9) } == [
                "0", "1", "2", "3", "4", "log lines", "12",
            ])
        #expect(lines[5].action == "log.dropped" && lines[5].body["count"] == 7)
        #expect(try await ledger.verify().verdict == .intact)
    }

    @Test("a line that no entry holds is cut, and says so; metadata that nests too deep, too")
    func tooLarge() async throws {
        let ledger = try freshLedger()
        let log = try LedgerLog(ledger)
        let logger = Logger(label: String(repeating: "\"é", count: 300)) { log.handler(label: $0) }
        logger.info("\(String(repeating: "é", count: 600_000))")
        var deep: Logger.MetadataValue = "x"
        for _ in 0..<100 { deep = ["d": deep] }
        logger.info("deep", metadata: ["deep": deep])
        try await log.close()
        let lines = try lines(ledger)
        #expect(lines.count == 2)
        #expect(lines[0].actor.utf8.count <= 256 && lines[0].actor.hasPrefix("service:_é_é"))
        #expect(lines[0].body["message"]?.string == String(repeating: "é", count: 32 << 10))
        #expect(lines[0].body["cut"]?.integer ?? 0 > 1_200_000)
        #expect(lines[1].body["message"] == "deep" && lines[1].body["cut"] != nil && lines[1].body["metadata"] == nil)
    }

    @Test("there is no log without a ledger, nor for an actor that is none")
    func refusals() throws {
        let missing = LedgerDirectory(directory.path + "/none", stateFolder: .none)
        #expect(throws: LedgerFailure.self) { try LedgerLog(missing) }
        let ledger = try freshLedger()
        let failure = #expect(throws: LedgerFailure.self) { try LedgerLog(ledger, actor: "nobody") }
        #expect(failure?.code == .usage)
        let house = #expect(throws: LedgerFailure.self) { try LedgerLog(ledger, actor: "service:bulla") }
        #expect(house?.code == .refused)
    }

    @Test("a logger called bulla speaks in another name than the house's own")
    func houseName() async throws {
        let ledger = try freshLedger()
        let log = try LedgerLog(ledger)
        Logger(label: "bulla") { log.handler(label: $0) }.info("a line")
        try await log.close()
        #expect(try lines(ledger).map(\.actor) == ["service:log"])
    }
}
