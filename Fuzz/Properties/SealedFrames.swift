import CanonicalJSON
import LedgerFormat
import TestSupport

/// The only frames in the world of the fuzzer that bear a true seal: it has no key, so it can make no other.
struct SealedFrames: Sendable {
    /// A ledger from its genesis on, frame by frame.
    let chain: [[UInt8]]
    /// The tip at each of them.
    let tips: [ChainTip]
    /// Behind each of them, in bytes.
    let ends: [Int]
    /// Rightly sealed for this ledger and key, but each breaks one rule of the chain wherever it stands.
    let lawless: [[UInt8]]
    /// Of another ledger, or sealed by another key.
    let foreign: [[UInt8]]

    static let shared = SealedFrames()

    /// All frames that a resync may find.
    let findable: Set<[UInt8]>
    let all: [[UInt8]]

    private init() {
        var (chain, tips): ([[UInt8]], [ChainTip]) = ([], [])
        func seal(_ drafts: [Draft], synced: UInt64?, microseconds: Int64, isDecision: Bool = false) {
            var writer = FrameWriter(after: tips[tips.count - 1], synced: synced ?? tips[tips.count - 1].seq, key: TestLedger.key)
            for (index, draft) in drafts.enumerated() {
                let start = writer.block.count
                do throws(DraftError) {
                    let time = Timestamp(microseconds: 1_769_860_860_000_000 + microseconds + Int64(index))
                    try writer.append(draft, at: time, part: isDecision ? Part(index: index + 1, count: drafts.count) : nil)
                } catch {
                    preconditionFailure("the fuzzer's draft is refused: \(error)")
                }
                chain.append(Array(writer.block[start...]))
                tips.append(writer.tip)
            }
        }
        var before = 0
        for count in 1...3 {
            let (bytes, tip, _) = TestLedger.frames(count: count)
            chain.append(Array(bytes[before...]))
            tips.append(tip)
            before = bytes.count
        }
        // A decision, two entries of one commit, one that quotes a frame in every way, and one much later.
        seal((4...6).map { TestLedger.draft($0) }, synced: nil, microseconds: 0, isDecision: true)
        seal(
            [TestLedger.draft(7, actor: "user:ada", id: "seven"), TestLedger.draft(8, id: "eight")], synced: 5,
            microseconds: 1_000_000)
        seal([Self.quoting(chain[1])], synced: nil, microseconds: 1_500_000)
        seal([TestLedger.draft(10)], synced: nil, microseconds: 90_000_000_000)

        self.chain = chain
        self.tips = tips
        ends = chain.reduce(into: []) { $0.append(($0.last ?? 0) + $1.count) }
        let third = tips[2]
        lawless = [
            Forge(after: third) { $0.version = "2" }, Forge(after: third) { $0.version = "0" },
            Forge(after: third) { $0.synced = "4" }, Forge(after: third) { $0.synced = "0" },
            Forge(after: third) { $0.seq = "5" },
            Forge(after: third) { $0.previousHash = String(repeating: "0", count: 64) },
            Forge(after: third) { $0.context = "{\"part\":[2,3]}" },
        ].map { $0.frame() }
        let otherKey = SealingKey(bytes: [UInt8](repeating: 9, count: SealingKey.byteCount))
        foreign = [
            Forge(after: third).frame(otherKey), Forge(after: third) { $0.key = otherKey.id.description }.frame(otherKey),
            Forge(after: third) { $0.key = otherKey.id.description }.frame(),
            Forge(after: third) { $0.ledger = String(repeating: "0", count: 32) }.frame(),
        ]
        findable = Set(chain + lawless)
        all = chain + lawless + foreign
    }

    private static func quoting(_ frame: [UInt8]) -> Draft {
        let text = String(decoding: frame, as: UTF8.self)
        let payload = Array(frame.drop { $0 != 0x7B }.dropLast())
        do {
            return try Draft(
                action: "test.quote", actor: "process:test", justification: Justification(.evolution, text),
                body: ["frame": try JSON(parsing: payload), "text": .string(text)])
        } catch {
            preconditionFailure("the fuzzer's draft is refused: \(error)")
        }
    }
}
