import Foundation
import FuzzProperties

/// libFuzzer on everything that reads bytes which others may have written; a case is a target for a slice of time.
///
/// Needs the program that `tools/fuzz.sh build` makes. What a slice has learnt stays in `.build-fuzz/corpus`, for the next one.
struct Fuzzing: Stage {
    let name = "fuzzing"
    let subject = "coverage-guided fuzzing of the readers, each against what must hold for any input"
    let unit = "executions"
    let mustFire = FuzzTarget.allCases.map { "execution of \($0.rawValue)" } + ["instrumented start"]
    /// Each case is many executions of one target.
    let caseCountToFire = FuzzTarget.allCases.count
    let share = 4.0
    let isEndless = true

    /// Where the program, the corpora and the artifacts are.
    static let folder = FuzzFolder()

    func caseCount(_ setting: Setting) -> Int { setting.level == .test ? FuzzTarget.allCases.count : .max }

    func obstacle() -> String? {
        FileManager.default.isExecutableFile(atPath: Self.folder.program.path)
            ? nil : "\(Self.folder.program.path) is not built: tools/fuzz.sh build"
    }

    func worker(_ setting: Setting) throws -> any Worker {
        try FuzzTarget.writeSeeds(to: Self.folder.url)
        return FuzzWorker(folder: Self.folder, seconds: 20)
    }
}

/// The scratch directory of the fuzzers, beside the checkout's others unless `BULLA_FUZZ_DIR` says otherwise.
struct FuzzFolder: Sendable {
    let url: URL

    init() {
        let given = ProcessInfo.processInfo.environment["BULLA_FUZZ_DIR"]
        url = given.map { URL(fileURLWithPath: $0) } ?? Self.checkout.appendingPathComponent(".build-fuzz")
    }

    private static let checkout = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    var program: URL { url.appendingPathComponent("release/fuzz") }
    func corpus(_ target: FuzzTarget) -> URL { url.appendingPathComponent("corpus/\(target.rawValue)") }
    func dictionary(_ target: FuzzTarget) -> URL { url.appendingPathComponent("\(target.rawValue).dict") }
    /// Inputs that broke a property; they belong into `Fuzz/Regressions`.
    func artifacts(_ target: FuzzTarget) -> URL { url.appendingPathComponent("artifacts/\(target.rawValue)") }
    /// Of the checkout: inputs that once did.
    func regressions(_ target: FuzzTarget) -> URL { Self.checkout.appendingPathComponent("Fuzz/Regressions/\(target.rawValue)") }
}
