import DurableFiles

/// One kind of fault, tried in many numbered cases.
///
/// What a case does depends on the seed and its number only, as far as the machine allows, so that any of them can be repeated.
protocol Stage: Sendable {
    /// As the command line and the table name it.
    var name: String { get }
    /// What a case is, in a few words.
    var subject: String { get }
    /// What is counted: "schedules", "bits", "acknowledgements" …
    var unit: String { get }
    /// Faults each of which must have happened; one that never fired proves nothing.
    var mustFire: [String] { get }
    /// Those that only `make torture` tries.
    var mustFireInTorture: [String] { get }
    /// How many cases, in their order, are enough for that: each fault is due in them about twenty times or more, by the figures
    /// in TORTURE.md or by how the cases are numbered, so that it is missing by chance in one run of 10⁸.
    var caseCountToFire: Int { get }
    /// What it leaves out, in a few words.
    func omission(_ level: Level) -> String?
    /// How much of the time of `make torture` it gets, relative to the others.
    var share: Double { get }
    /// How many cases run on two cores at once.
    var workerCount: Int { get }

    /// Whether `make torture` goes on with it as long as there is time.
    var isEndless: Bool { get }

    /// How many cases there are; for some this takes the seed, or trying things out.
    func caseCount(_ setting: Setting) throws -> Int
    /// Why it cannot run here; nil where it can.
    func obstacle() -> String?
    /// What one of the threads works with; made on the thread that uses it.
    func worker(_ setting: Setting) throws -> any Worker
}

extension Stage {
    var share: Double { 1 }
    var workerCount: Int { 2 }
    var isEndless: Bool { false }
    var mustFireInTorture: [String] { [] }
    func omission(_ level: Level) -> String? { nil }
    func obstacle() -> String? { nil }
}

/// Runs cases one after the other.
protocol Worker {
    mutating func run(_ number: Int, _ random: inout SeededGenerator, _ tally: inout Tally) async throws
}

/// `make test` or `make torture`.
enum Level: String, Sendable, CaseIterable {
    case test, torture
}

/// What a stage is told.
struct Setting: Sendable {
    var level: Level
    var seed: UInt64
    /// The built `bulla`.
    var bulla: String
    /// The one of the test build, beside this program. The other may hold its C library, and then no shim comes between the two.
    var shimmableBulla: String
    /// This program, for subjects that are processes of their own.
    var torture: String
}
