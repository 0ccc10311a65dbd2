import DurableFiles
import Foundation

/// One of the processes of a round.
struct RoundWriter {
    enum Kind: CaseIterable {
        /// Several tasks that share a writer, until it is killed.
        case write
        case ingest, append
    }

    static let lineCount = 300
    /// How long they wait for the lock, in milliseconds: short, so that a stopped holder does not stop the round.
    private static let lockMilliseconds = 150

    let kind: Kind
    let child: Child
    /// The ingest's number among this writer's; its ids begin with it.
    private let batch: Int
    private let index: Int
    private var finishedBatches: [Int]
    var isComplete = false
    /// The drafts that were answered, from the first one that was not.
    private var heard: Set<Int> = []
    private var next: Int

    /// What the process before had sent without hearing of it is sent again.
    init(
        _ kind: Kind, _ index: Int, _ earlier: RoundWriter?, _ setting: Setting, _ place: Workplace,
        _ random: inout SeededGenerator
    ) throws {
        self.kind = kind
        self.index = index
        next = earlier?.next ?? 0
        finishedBatches = earlier?.finishedBatches ?? []
        if let earlier, earlier.kind == .ingest, earlier.isComplete { finishedBatches.append(earlier.batch) }
        let batch = finishedBatches.count
        self.batch = batch
        let ledger = place.path("L")
        let wait = ["--ledger", ledger, "--wait", String(Double(Self.lockMilliseconds) / 1000)]
        switch kind {
        case .write:
            child = try Child(
                setting.torture,
                [
                    "subject", "write", ledger, "--actor", "process:\(index)", "--from", String(next), "--tasks",
                    String(1 + random.below(8)), "--lock-milliseconds", String(Self.lockMilliseconds),
                ])
        case .ingest:
            let drafts = (0..<Self.lineCount).map { Self.draft(index, batch, $0) }
            try place.write(drafts.joined(separator: "\n") + "\n", to: "lines-\(index)")
            child = try Child(setting.bulla, ["ingest"] + wait + [place.path("lines-\(index)")])
        case .append: child = try Child(setting.bulla, Judgement.appendArguments + wait)
        }
    }

    /// A draft was answered.
    mutating func hear(_ number: Int) {
        heard.insert(number)
        while heard.remove(next) != nil { next += 1 }
    }

    private static func id(_ batch: Int, _ line: Int) -> String { "\(batch)/\(line)" }

    private static func draft(_ index: Int, _ batch: Int, _ line: Int) -> String {
        """
        {"actor":"service:\(index)","action":"torture.ingest","body":{"n":\(line)},"context":{"id":"\(id(batch, line))"},\
        "justification":{"pillar":"resilience","reason":"torture"}}
        """
    }

    /// The ids, as `LedgerFiles` names them, of all batches that were acknowledged.
    static func wholeIngests(_ writers: [RoundWriter]) -> [String] {
        writers.flatMap { writer in
            let batches = writer.finishedBatches + (writer.kind == .ingest && writer.isComplete ? [writer.batch] : [])
            return batches.flatMap { batch in (0..<lineCount).map { "service:\(writer.index) " + id(batch, $0) } }
        }
    }
}

/// Who holds `flock` locks, as the system says.
enum FileLocks {
    static func holder(of path: String) -> pid_t? {
        var status = stat()
        guard stat(path, &status) == 0, let text = FileManager.default.contents(atPath: "/proc/locks") else { return nil }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            // 1: FLOCK  ADVISORY  WRITE 123 fd:01:456 0 EOF
            let words = line.split(separator: " ")
            guard words.count > 5, words[1] == "FLOCK", words[5].hasSuffix(":\(status.st_ino)") else { continue }
            return pid_t(words[4])
        }
        return nil
    }
}
