import DurableFiles
import Ledger
import LedgerFormat
import Synchronization

/// A bar on stderr for long work; silent unless a person looks.
final class ProgressBar: Sendable {
    private let label: String
    private let columns: Int?
    private let start = Environment.system.uptime()
    private let state = Mutex<(drawnAt: Int64, isVisible: Bool)>((0, false))

    private static let intervalMicroseconds: Int64 = 100_000

    init(_ label: String) {
        self.label = label
        columns = Output.stderrColumns
    }

    /// Draws at most ten times a second, and not before the work has taken half a second.
    func update(_ done: Int, of total: Int) {
        guard let columns, total > 0 else { return }
        LockConstitution.holdsNothing()
        let now = Environment.system.uptime()
        let isDue = state.withLock { state in
            guard now - start > 5 * Self.intervalMicroseconds, now - state.drawnAt > Self.intervalMicroseconds else {
                return false
            }
            state = (now, true)
            return true
        }
        guard isDue else { return }
        let rate = Format.bytes(Int(Double(done) / (Double(now - start) / 1_000_000))) + "/s"
        let right = " \(done * 100 / total) %  \(Format.bytes(done)) of \(Format.bytes(total))  \(rate)"
        let width = max(4, min(40, columns - label.count - right.count - 4))
        let filled = done * width / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        Output.errorText("\r\u{1B}[2K\(label) \(bar)\(right)")
    }

    /// Takes the bar away.
    func finish() {
        if state.withLock({ $0.isVisible }) { Output.errorText("\r\u{1B}[2K") }
    }
}

/// Numbers for people.
enum Format {
    /// 1234567 as 1,234,567.
    static func count(_ value: some BinaryInteger) -> String {
        var text = String(value)
        var index = text.count - 3
        while index > 0 {
            text.insert(",", at: text.index(text.startIndex, offsetBy: index))
            index -= 3
        }
        return text
    }

    /// Bytes with a unit and about three digits.
    static func bytes(_ value: Int) -> String {
        var size = Double(value)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if size < 1024 || unit == "GiB" {
                return unit == "B" ? "\(value) B" : "\(tenths(size)) \(unit)"
            }
            size /= 1024
        }
        return "\(value) B"
    }

    /// Microseconds as seconds.
    static func seconds(_ microseconds: Int64) -> String { "\(hundredths(Double(microseconds) / 1_000_000)) s" }

    private static func tenths(_ value: Double) -> String {
        let scaled = Int((value * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }

    private static func hundredths(_ value: Double) -> String {
        let scaled = Int((value * 100).rounded())
        return "\(scaled / 100).\(scaled % 100 < 10 ? "0" : "")\(scaled % 100)"
    }
}
