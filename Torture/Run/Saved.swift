import CanonicalJSON
import Foundation

/// How far a run with a seed has come, kept in a file so that it can be resumed.
struct Saved {
    let path: String?
    let seed: UInt64
    private var stages: JSONObject = [:]

    /// Begins anew unless the file is there and of the same seed and level.
    init(path: String?, seed: UInt64, level: Level) {
        self.path = path
        self.seed = seed
        guard let path, let data = FileManager.default.contents(atPath: path),
            let object = try? JSON(parsing: Array(data)).object,
            object["seed"]?.string == String(seed), object["level"]?.string == level.rawValue
        else { return }
        stages = object["stages"]?.object ?? [:]
    }

    func progress(of stage: String, caseCount: Int) -> StageProgress? {
        guard let saved = stages[stage]?.object, saved["caseCount"]?.string == String(caseCount) else { return nil }
        var fired: [String: Int] = [:]
        for member in saved["fired"]?.object?.members ?? [] { fired[member.key] = Int(member.value.integer ?? 0) }
        let failures = saved["failures"]?.array?.compactMap(\.string) ?? []
        let tally = Tally(done: Int(saved["done"]?.integer ?? 0), fired: fired, failures: failures)
        return StageProgress(
            next: Int(saved["next"]?.integer ?? 0), caseCount: caseCount, tally: tally,
            seconds: Double(saved["seconds"]?.integer ?? 0))
    }

    mutating func save(_ progress: StageProgress, of stage: String, level: Level) throws {
        var fired: JSONObject = [:]
        for (fault, count) in progress.tally.fired { fired[fault] = .number(Double(count)) }
        stages[stage] = [
            "next": .number(Double(progress.next)), "caseCount": .string(String(progress.caseCount)),
            "done": .number(Double(progress.tally.done)), "fired": .object(fired),
            "failures": .array(progress.tally.failures.map { .string($0) }), "seconds": .number(progress.seconds.rounded()),
        ]
        guard let path else { return }
        let file: JSON = ["seed": .string(String(seed)), "level": .string(level.rawValue), "stages": .object(stages)]
        try Data(file.canonicalBytes()).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
