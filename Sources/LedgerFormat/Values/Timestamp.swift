import CanonicalJSON

/// A moment in UTC with microseconds, from year 0001 to 9999; written as RFC 3339, always 27 bytes.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    package let microseconds: Int64

    package static let byteCount = 27
    static let range: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

    /// Takes microseconds since the epoch; what lies outside the years 0001–9999 is moved to their border.
    package init(microseconds: Int64) {
        self.microseconds = min(max(microseconds, Self.range.lowerBound), Self.range.upperBound)
    }

    package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
}

extension Timestamp: CustomStringConvertible {
    /// For example `2026-01-31T12:00:00.000000Z`.
    package var description: String {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    package func append(to bytes: inout [UInt8]) {
        let (days, inDay) = microseconds.flooredDivision(by: 86_400_000_000)
        let (year, month, day) = Self.civil(fromDays: days)
        Self.append(year, 4, "-", to: &bytes)
        Self.append(month, 2, "-", to: &bytes)
        Self.append(day, 2, "T", to: &bytes)
        Self.append(inDay / 3_600_000_000, 2, ":", to: &bytes)
        Self.append(inDay / 60_000_000 % 60, 2, ":", to: &bytes)
        Self.append(inDay / 1_000_000 % 60, 2, ".", to: &bytes)
        Self.append(inDay % 1_000_000, 6, "Z", to: &bytes)
    }

    private static func append(_ value: Int64, _ digits: Int, _ after: Unicode.Scalar, to bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(0x30 + UInt8(value / divisor % 10))
            divisor /= 10
        }
        bytes.append(UInt8(ascii: after))
    }

    /// Reads the 27 bytes at `offset`; nil when they are no RFC 3339 time of exactly this form, or no day of the calendar.
    package init?(_ bytes: Span<UInt8>, at offset: Int = 0) {
        guard offset >= 0, bytes.count >= Self.byteCount, offset <= bytes.count - Self.byteCount else { return nil }
        func number(_ start: Int, _ digits: Int, _ after: Unicode.Scalar) -> Int64? {
            var value: Int64 = 0
            for index in offset + start..<offset + start + digits {
                let digit = bytes[index] &- 0x30
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return bytes[offset + start + digits] == UInt8(ascii: after) ? value : nil
        }
        guard let year = number(0, 4, "-"), let month = number(5, 2, "-"), let day = number(8, 2, "T"),
            let hour = number(11, 2, ":"), let minute = number(14, 2, ":"), let second = number(17, 2, "."),
            let fraction = number(20, 6, "Z"),
            year >= 1, (1...12).contains(month), day >= 1, hour < 24, minute < 60, second < 60,
            day <= Self.days(inMonth: month, of: year)
        else { return nil }
        let days = Self.days(year: year, month: month, day: day)
        self.init(microseconds: ((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + fraction)
    }

    /// The part of the text that names the second.
    static let secondByteCount = 19

    /// Reads the 27 bytes at `offset`, of which the first 19 are known to be those of `other`'s text.
    ///
    /// Entries come many in a second, so the calendar need not be asked for each.
    package init?(_ bytes: Span<UInt8>, at offset: Int, inSecondOf other: Timestamp) {
        guard let fraction = bytes.fullWord(at: offset + Self.secondByteCount),
            fraction & 0xFF == 0x2E, fraction >> 56 == 0x5A, DecimalDigits.count(in: fraction >> 8) == 6
        else { return nil }
        // The digits move to the end of the word, and what stood around them goes.
        let digits = fraction << 8 & 0xFFFF_FFFF_FFFF_0000
        let second = other.microseconds.flooredDivision(by: 1_000_000).quotient
        self.init(microseconds: second * 1_000_000 + Int64(DecimalDigits.value(of: digits)))
    }

    package init?(_ text: String) {
        guard text.utf8.count == Self.byteCount else { return nil }
        self.init(Array(text.utf8).span)
    }

    /// Reads a time in UTC as people and other programs write it: its fraction may have none to six digits.
    package init?(anyFraction text: String) {
        guard text.utf8.last == UInt8(ascii: "Z") else { return nil }
        let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 1 || parts.count == 2 && (1...6).contains(parts[1].utf8.count) else { return nil }
        let fraction = parts.count == 2 ? String(parts[1]) : ""
        self.init("\(parts[0]).\(fraction)\(String(repeating: "0", count: 6 - fraction.utf8.count))Z")
    }
}

// The proleptic Gregorian calendar, counted in eras of 400 years that begin on 1 March.
extension Timestamp {
    private static let daysInEra: Int64 = 146_097

    private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let (era, yearOfEra) = (month > 2 ? year : year - 1).flooredDivision(by: 400)
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * daysInEra + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).flooredDivision(by: daysInEra)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int64 {
    @inline(__always)
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
