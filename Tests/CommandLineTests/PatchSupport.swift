import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

/// A governed house with a constitution that names a handbook folder, and a builder's handbook in it.
struct PatchHouse {
    let house: GovernedHouse
    var ledger: CommandLedger { house.ledger }

    static let handbook = "agents/builder/AGENT.md"
    static let text = "# Builder\n\nBuild.\n\n- be quick\n"
    static let edited = "# Builder\n\nBuild.\n\n- be careful\n"

    init(adopts: Bool = true) throws {
        house = try GovernedHouse()
        let folder = house.file("agents/builder")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try write(Self.text, to: Self.handbook)
        try write(Self.edited, to: "edited")
        guard adopts else { return }
        let template = try ledger.run("constitution", "template").output
        let text = template.replacing(/folders = .*/, with: #"folders = ["agents"]"#).replacing(
            /recurrences = .*/, with: "recurrences = 2")
        try write(text, to: "constitution.toml")
        let adopted = try ledger.run(["constitution", "adopt", house.file("constitution.toml")] + house.keys("ada", "bob"))
        try #require(adopted.code == 0, "\(adopted)")
    }

    func write(_ text: String, to name: String) throws { try ledger.directory.write(Array(text.utf8), to: name) }

    var text: String { get throws { String(decoding: try ledger.directory.read(Self.handbook), as: UTF8.self) } }

    /// Proposes the edited text.
    ///
    /// - Returns: the patch's number.
    func propose(_ more: String...) throws -> String {
        let arguments = ["patch", "propose", Self.handbook, "--from", house.file("edited"), "--actor", "user:ada", "--json"]
        let result = try ledger.run(arguments + more)
        try #require(result.code == 0, "\(result)")
        let patch = try JSON(parsing: Array(result.output.utf8))["patch"]?.integer
        return String(try #require(patch))
    }

    func state(_ patch: String) throws -> String? {
        let list = try JSON(parsing: Array(ledger.run("patch", "list", "--json").output.utf8))
        return list["patches"]?.array?.first { $0["patch"]?.integer == Int64(patch) }?["state"]?.string
    }

    func approve(_ patch: String, _ more: [String]? = nil) throws -> Program.Result {
        try ledger.run(["patch", "approve", patch] + (more ?? house.keys("ada", "bob")))
    }

    /// A request as nobody's program made it, signed.
    func request(
        _ patch: String, expires: String = "2999-01-01T00:00:00.000000Z", as name: String,
        _ change: (inout JSONObject) -> Void = { _ in }
    ) throws -> String {
        let made = try ledger.run("patch", "approve", patch)
        let asked = try #require(SignedRequest(JSON(parsing: Array(made.output.utf8))), "\(made)")
        var arguments = asked.arguments
        change(&arguments)
        var request = SignedRequest(
            asked.verb, arguments, in: asked.ledger, base: asked.base, nonce: asked.nonce,
            expires: try #require(Timestamp(expires)))
        for signer in [TestActors.ada, TestActors.bob] { request.sign(with: signer) }
        try write(request.json.canonicalText, to: name)
        return house.file(name)
    }

    /// Nothing is written, and why is told.
    func expectRefusal(_ words: String, _ source: SourceLocation = #_sourceLocation, _ run: () throws -> Program.Result) throws {
        let before = try ledger.entries().count
        let text = try? text
        let result = try run()
        #expect(result.code == 20 && result.error.contains(words), "\(words): \(result)", sourceLocation: source)
        #expect(try ledger.entries().count == before, sourceLocation: source)
        #expect((try? self.text) == text, sourceLocation: source)
    }
}
