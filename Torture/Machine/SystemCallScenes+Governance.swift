import Foundation

/// What associates sign: a constitution, the release of an alert behind a repair, and a patch of a handbook.
extension SystemCallScenes {
    /// Relative to the directory that the ledger stands in.
    private static let handbookFolder = "agents"
    static let handbook = handbookFolder + "/x/AGENT.md"
    static let handbookTexts = (before: "old\n", after: "new\n")
    /// The text that is adopted.
    var constitution: String { place.path("law") }

    static func writeHandbook(in place: Workplace) throws {
        try FileManager.default.createDirectory(
            atPath: place.path(handbookFolder + "/x"), withIntermediateDirectories: true)
        try place.write(handbookTexts.before, to: handbook)
    }

    mutating func addGovernance(_ setting: Setting) throws {
        let keys = try ["a", "b"].map { try run(setting, ["actor", "keygen", place.path("key-" + $0)]).output.trimmed }
        let house = ["--ledger", place.path("house")]
        var receipts = try run(setting, ["init"] + house + keys.flatMap { ["--associate", $0] }).receipts
        for _ in 0..<3 { receipts += try run(setting, Judgement.appendArguments + house).receipts }
        try place.copy(place.path("house"), to: "locked")
        try addRelease(setting, receipts)

        let template = try run(setting, ["constitution", "template"] + house).output
        try place.write(
            template.replacing("folders = []", with: "folders = [\"\(Self.handbookFolder)\"]"), to: "law")
        let adoption = ["constitution", "adopt", constitution]
        let adopted = try signed(setting, adoption, "adoption", house)
        try place.copy(place.path("house"), to: "unruled")
        try add(.adoption, place.path("unruled"), receipts, [setting.bulla] + adoption + adopted + ["--ledger", "%"])

        receipts += try run(setting, adoption + adopted + house).receipts
        try Self.writeHandbook(in: place)
        try place.write(Self.handbookTexts.after, to: "edited")
        let proposal = try run(
            setting,
            ["patch", "propose", Self.handbook, "--from", place.path("edited"), "--actor", "user:torture"] + house)
        guard let seq = proposal.receipts.first?.split(separator: "/").dropFirst(2).first else {
            throw HarnessError("no patch: \(proposal)")
        }
        receipts += proposal.receipts
        let approval = ["patch", "approve", String(seq)]
        let approved = try signed(setting, approval, "approval", house)
        try add(.patching, place.path("house"), receipts, [setting.bulla] + approval + approved + ["--ledger", "%"])
    }

    /// The fourth of its entries is damaged, and what is left was repaired.
    private mutating func addRelease(_ setting: Setting, _ receipts: [String]) throws {
        let locked = ["--ledger", place.path("locked")]
        try damage("locked", entry: 4)
        try run(setting, ["repair", "--yes"] + locked)
        let release = ["alert", "release"]
        let signed = try signed(setting, release, "release", locked)
        let survivors = receipts.filter { !$0.contains("/4/") }
        try add(.release, place.path("locked"), survivors, [setting.bulla] + release + signed + ["--ledger", "%"])
    }

    /// Asks for signatures, and lets both associates sign; what the verb is given then.
    private func signed(_ setting: Setting, _ verb: [String], _ name: String, _ ledger: [String]) throws -> [String] {
        try place.write(try run(setting, verb + ledger).output, to: "request")
        let keys = ["a", "b"].flatMap { ["--associate-key", place.path("key-" + $0)] }
        try place.write(try run(setting, ["associate", "sign", place.path("request")] + keys).output, to: name)
        return ["--signed", place.path(name)]
    }

    @discardableResult
    private func run(_ setting: Setting, _ arguments: [String]) throws -> Child.Result {
        let result = try Child.run(setting.bulla, arguments)
        guard result.code == 0 else { throw HarnessError("no house to begin with: \(arguments) \(result)") }
        return result
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
