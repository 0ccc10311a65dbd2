import Foundation

/// One side of a comparison: a name for the progress report, and a run of it, which returns its seconds.
struct Contender {
    let name: String
    let run: () async throws -> Double

    init(_ name: String, run: @escaping () async throws -> Double) {
        self.name = name
        self.run = run
    }

    /// A whole process.
    init(_ name: String, _ command: [String]) {
        self.init(name) { try ChildProcess(command).run().seconds }
    }
}

/// The seconds of a contender's runs.
struct Measurement {
    let seconds: [Double]

    var median: Double {
        let sorted = seconds.sorted()
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// How many times as long as the other; the range is that of the rounds, in each of which both ran one after the other.
    func ratio(to other: Measurement) -> Ratio {
        let rounds = zip(seconds, other.seconds).map { $0 / $1 }
        return Ratio(value: median / other.median, low: rounds.min() ?? .nan, high: rounds.max() ?? .nan)
    }
}

/// A quotient of medians, with the least and the greatest of the single rounds.
struct Ratio {
    var value: Double
    var low: Double
    var high: Double

    static func * (ratio: Ratio, factor: Double) -> Ratio {
        Ratio(value: ratio.value * factor, low: ratio.low * factor, high: ratio.high * factor)
    }
}

enum Rounds {
    /// Odd, so that a median is a run that happened.
    static let usual = 7
    /// For processes of a few milliseconds, which one stray interrupt can double.
    static let short = 31
}

/// Runs the contenders in turn, round by round, so that whatever else the machine does is felt by all of them alike.
///
/// A first round warms up and is not counted.
func inTurn(_ contenders: [Contender], rounds: Int = Rounds.usual) async throws -> [Measurement] {
    var seconds = contenders.map { _ in [Double]() }
    for round in 0...rounds {
        for (index, contender) in contenders.enumerated() {
            try Interrupts.check()
            let duration = try await contender.run()
            if round > 0 { seconds[index].append(duration) }
        }
    }
    let measurements = seconds.map(Measurement.init)
    for (contender, measurement) in zip(contenders, measurements) {
        Progress.note("  \(contender.name): \(Format.time(measurement.median))")
    }
    return measurements
}

enum Progress {
    static func note(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8)) }
}
