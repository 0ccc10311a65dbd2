import CanonicalJSON
import Foundation
import TestSupport
import Testing

/// A ledger whose server runs, and what its clients do.
final class SocketLedger: Sendable {
    let ledger: CommandLedger
    let server: Program.Running
    var directory: TemporaryDirectory { ledger.directory }
    var socket: String { directory.path("S") }

    init(_ more: String..., ledger: CommandLedger? = nil) throws {
        self.ledger = try ledger ?? CommandLedger()
        let arguments = ["run", "--ledger", self.ledger.path, "--socket", self.ledger.directory.path("S")] + more
        server = try Program.bulla(arguments).start()
        try waitUntil("the server is online") { try server.output.contains("online") }
    }

    deinit { server.send(signal: SIGKILL) }

    func stop() throws -> Program.Result {
        server.send(signal: SIGTERM)
        return try server.wait()
    }

    func run(_ arguments: [String], input: String? = nil) throws -> Program.Result {
        try Program.watched(arguments + ["--socket", socket]).run(in: directory.path, input: input.map { Array($0.utf8) })
    }

    func append(_ body: String = "{}", _ more: String...) throws -> Program.Result {
        try run(CommandLedger.appendArguments + ["--body", body] + more)
    }

    /// Sends bytes over one connection, shuts it, and gives the answers' lines.
    func exchange(_ text: String) throws -> [JSON] {
        try directory.write(Array(text.utf8), to: "request")
        let result = try Program.python(
            """
            import socket, sys
            s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
            s.sendall(open(sys.argv[2], 'rb').read()); s.shutdown(socket.SHUT_WR)
            while data := s.recv(65536): sys.stdout.buffer.write(data)
            """, socket, directory.path("request")
        ).run()
        try #require(result.code == 0, "\(result.error)")
        return try result.output.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)) }
    }

    /// What `append` and `record` made: without the entries that the server makes about itself.
    func clientEntries() throws -> [JSON] {
        try ledger.entries().filter { entry in
            let action = entry["entry"]?["action"]?.string ?? ""
            return !["ledger", "run", "audit"].contains(action.prefix { $0 != "." })
        }
    }

    static func draft(_ number: Int = 1, action: String = "test.event", context: String = "{}") -> String {
        #"{"action":"\#(action)","actor":"user:ada","body":{"n":\#(number)},"context":\#(context),"justification":{"pillar":"integrity","reason":"r"}}"#
    }

    static func request(_ decisions: [String]...) -> String {
        #"{"v":1,"decisions":["# + decisions.map { "[" + $0.joined(separator: ",") + "]" }.joined(separator: ",") + "]}\n"
    }
}

extension JSON {
    var errorCode: Int64? { self["error"]?["code"]?.integer }
    var peer: JSON? { self["entry"]?["context"]?["peer"] }
    var action: String? { self["entry"]?["action"]?.string }
}
