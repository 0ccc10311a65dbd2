import CanonicalJSON

extension Double {
    /// The shortest text that reads back as the same number, laid out as Python's `repr` does it.
    var pythonText: String {
        if isNaN { return "nan" }
        if isInfinite { return self < 0 ? "-inf" : "inf" }
        let sign = self.sign == .minus ? "-" : ""
        guard self != 0 else { return sign + "0.0" }
        let decimal = ShortestDecimal(magnitude: magnitude)
        let digits = String(decimal.significand)
        return sign + Self.layOut(digits, point: decimal.point)
    }

    /// Plainly from 1e-4 to below 1e16, else with an exponent of two digits or more.
    private static func layOut(_ digits: String, point: Int) -> String {
        switch point {
        case -3...0:
            return "0." + String(repeating: "0", count: -point) + digits
        case 1...16:
            let whole = digits.prefix(point) + String(repeating: "0", count: max(0, point - digits.utf8.count))
            let fraction = digits.dropFirst(point)
            return whole + "." + (fraction.isEmpty ? "0" : fraction)
        default:
            let exponent = String((point - 1).magnitude)
            let fraction = digits.utf8.count > 1 ? "." + digits.dropFirst() : ""
            let padding = exponent.utf8.count < 2 ? "0" : ""
            return digits.prefix(1) + fraction + "e" + (point > 0 ? "+" : "-") + padding + exponent
        }
    }
}
