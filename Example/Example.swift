import Bulla

/// Which version runs where: folded from the entries `deploy.done`.
struct Deployments: Projection {
    static let name = "deployments"
    static let version = 1
    static let namespaces = ["deploy"]

    private(set) var count = 0
    private(set) var last: String?

    mutating func apply(_ event: RecordedEvent) {
        count += 1
        last = event.reason
    }
}

@main
enum Example {
    /// Deploys three times, of which the third is refused, and verifies what was recorded.
    static func main() async throws {
        let ledger = LedgerDirectory(CommandLine.arguments.dropFirst().first ?? "example-ledger")
        try ledger.create()

        let writer = try ledger.openWriter()
        let receipt = try await writer.append(
            Event(action: "deploy.done", actor: "user:ada", pillar: .evolution, reason: "1.1", body: #"{"hosts":2}"#))
        print("recorded:", receipt.line)

        let kernel = try ledger.openKernel()
        for version in ["1.2", "1.3"] {
            do {
                let decided = try await kernel.decide(on: Deployments.self, as: "process:ci") {
                    state, moment throws(LedgerFailure) in
                    guard state.count < 2 else {
                        throw LedgerFailure(code: .refused, message: "two deployments a day are enough")
                    }
                    let event = try Event(action: "deploy.done", actor: moment.actor, pillar: .evolution, reason: version)
                    return Decision([event], reply: state.last)
                }
                print("deployed \(version) after \(decided.reply ?? "nothing"):", decided.receipts[0].seq)
            } catch {
                print("not deployed \(version):", error)
            }
        }

        let state = try await kernel.project(Deployments.self)
        print("now \(state.last ?? "nothing") runs, after \(state.count) deployments")
        print(try await ledger.verify().line)
    }
}
