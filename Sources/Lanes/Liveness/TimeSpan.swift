/// Lengths of time: microseconds inside, minutes as the journal of the reference has them, and `90s`, `20m`, `2h` as users write them.
package enum TimeSpan {
    /// Longest: ten years.
    package static let limit: Int64 = 315_360_000_000_000

    package static func minutes(_ microseconds: Int64) -> Double { Double(microseconds) / 60_000_000 }

    /// Nil if it is no length of time above 0.
    package static func microseconds(minutes: Double) -> Int64? {
        let microseconds = (minutes * 60_000_000).rounded()
        return microseconds >= 1 && microseconds <= Double(limit) ? Int64(microseconds) : nil
    }

    /// Reads a number and its unit: `ms`, `s`, `m`, `h` or `d`, and `m` without one; nil for 0, what is less, and what is no number.
    package static func microseconds(_ text: String) -> Int64? {
        let digits = text.prefix { "0123456789.".contains($0) }
        let scales: [String: Double] = ["ms": 1.0 / 60_000, "s": 1.0 / 60, "m": 1, "": 1, "h": 60, "d": 1440]
        guard !digits.isEmpty, let number = Double(digits), let scale = scales[String(text.dropFirst(digits.count))] else {
            return nil
        }
        return microseconds(minutes: number * scale)
    }

    /// In the largest unit that makes it a short number: `45 s`, `12 min`, `3 h`.
    package static func text(_ microseconds: Int64) -> String {
        switch microseconds {
        case ..<0: "-" + text(-microseconds)
        case ..<1_000_000: "\(microseconds / 1000) ms"
        case ..<120_000_000: "\(microseconds / 1_000_000) s"
        case ..<7_200_000_000: "\(microseconds / 60_000_000) min"
        case ..<172_800_000_000: "\(microseconds / 3_600_000_000) h"
        default: "\(microseconds / 86_400_000_000) days"
        }
    }
}
