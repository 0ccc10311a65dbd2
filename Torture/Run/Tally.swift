/// What happened in some cases of a stage.
struct Tally: Sendable {
    /// In the stage's unit.
    var done = 0
    /// How often each kind of fault really happened.
    private(set) var fired: [String: Int] = [:]
    private(set) var failures: [String] = []
    /// The case that runs.
    var number = 0

    mutating func fire(_ fault: String, _ count: Int = 1) { if count > 0 { fired[fault, default: 0] += count } }

    /// A promise was broken.
    mutating func fail(_ what: String) { failures.append("case \(number): \(what)") }

    init() {}

    init(done: Int, fired: [String: Int], failures: [String]) {
        self.done = done
        self.fired = fired
        self.failures = failures
    }

    static func += (sum: inout Tally, more: Tally) {
        sum.done += more.done
        sum.fired.merge(more.fired, uniquingKeysWith: +)
        sum.failures += more.failures
    }

    var firedCount: Int { fired.values.reduce(0, +) }
}
