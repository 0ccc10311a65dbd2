import Foundation

/// Figures as people read them. A MB is 1,000,000 bytes.
enum Format {
    static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.9995e-3: significant(seconds * 1e6) + " µs"
        case ..<0.9995: significant(seconds * 1e3) + " ms"
        default: significant(seconds) + " s"
        }
    }

    static func speed(_ bytes: Int, in seconds: Double) -> String { count(Double(bytes) / seconds / 1e6) + " MB/s" }

    static func rate(_ operations: Int, in seconds: Double) -> String { significant(Double(operations) / seconds) + "/s" }

    static func megabytes(_ bytes: Int) -> String { significant(Double(bytes) / 1e6) + " MB" }

    static func count(_ number: Int) -> String { count(Double(number)) }

    static func ratio(_ ratio: Ratio) -> String { "\(two(ratio.value)) (\(two(ratio.low))–\(two(ratio.high)))" }

    static func two(_ number: Double) -> String {
        number == number.rounded() ? count(number) : String(format: "%.2f", number)
    }

    /// Three digits that count, and thousands apart; a whole number, such as a limit, stays one.
    static func significant(_ number: Double) -> String {
        switch abs(number) {
        case _ where number == number.rounded() && abs(number) < 10_000: count(number)
        case ..<9.995: two(number)
        case ..<99.95: String(format: "%.1f", number)
        case ..<10_000: count(number)
        default: count((number / 100).rounded() * 100)
        }
    }

    private static func count(_ number: Double) -> String {
        var text = ""
        for (index, digit) in String(Int(number.rounded())).reversed().enumerated() {
            if index > 0, index % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
