import CanonicalJSON
import LedgerFormat

/// Numbers identities from 0 on: the same one has the same number.
///
/// Nearly all are two texts that stand in the journal as they are. Such a one is found by a sum of its bytes, and compared with what has
/// the same; only what is new, or shares its sum with another, is made and looked for.
struct IdentityNumbers {
    private(set) var all: [LeaseIdentity] = []
    private var numbers: [LeaseIdentity: Int] = [:]
    private var likely: [UInt64: Int] = [:]

    mutating func number(of identity: LeaseIdentity) -> Int {
        if let number = numbers[identity] { return number }
        let number = all.count
        numbers[identity] = number
        all.append(identity)
        return number
    }

    /// The same of an identity whose texts stand in these ranges of `bytes`.
    mutating func number(loop: Range<Int>, lane: Range<Int>, in bytes: Span<UInt8>) -> Int {
        let sum = bytes.sum(lane, from: bytes.sum(loop, from: 0))
        if let number = likely[sum], bytes.holds(all[number].loop.bytes, in: loop), bytes.holds(all[number].lane.bytes, in: lane)
        {
            return number
        }
        let identity = LeaseIdentity(loop: PythonText(bytes.copy(loop)), lane: PythonText(bytes.copy(lane)))
        let number = number(of: identity)
        likely[sum] = number
        return number
    }
}

extension Span where Element == UInt8 {
    /// Whether these bytes stand in `range`.
    fileprivate func holds(_ other: [UInt8], in range: Range<Int>) -> Bool {
        guard other.count == range.count else { return false }
        let own = extracting(range)
        var offset = 0
        while let word = other.span.fullWord(at: offset) {
            guard word == own.fullWord(at: offset) else { return false }
            offset += 8
        }
        while offset < own.count {
            guard other[offset] == own[offset] else { return false }
            offset += 1
        }
        return true
    }

    /// A number that other bytes have rarely.
    fileprivate func sum(_ range: Range<Int>, from start: UInt64) -> UInt64 {
        var sum = start ^ UInt64(range.count)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let rest = range.upperBound - offset
            var word = fullWord(at: offset) ?? shortWord(from: offset)
            if rest < 8 { word &= 1 << UInt64(8 * rest) - 1 }
            sum = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
            sum ^= sum >> 32
            offset += 8
        }
        return sum
    }

    /// The last bytes, fewer than eight, the first one lowest.
    private func shortWord(from start: Int) -> UInt64 {
        var word: UInt64 = 0
        for offset in start..<count { word |= UInt64(self[offset]) << UInt64(8 * (offset - start)) }
        return word
    }
}
