import CanonicalJSON
import LedgerFormat

/// Numbers identities from 0 on: the same one has the same number.
///
/// Nearly all are two texts that stand in the journal as they are. Such a one is found by a sum of its bytes, and compared where it stood
/// before; only what is new, or shares its sum with another, is made and looked for.
struct IdentityNumbers {
    private(set) var all: [LeaseIdentity] = []
    private var numbers: [LeaseIdentity: Int] = [:]
    private var likely: [UInt64: Place] = [:]

    private struct Place {
        var number: Int
        var loop: Range<Int>
        var lane: Range<Int>
    }

    mutating func number(of identity: LeaseIdentity) -> Int {
        if let number = numbers[identity] { return number }
        let number = all.count
        numbers[identity] = number
        all.append(identity)
        return number
    }

    /// The same of an identity whose texts stand in these ranges of `bytes`, which are the same at each call.
    mutating func number(loop: Range<Int>, lane: Range<Int>, in bytes: Span<UInt8>) -> Int {
        let sum = bytes.sum(lane, from: bytes.sum(loop, from: 0))
        if let place = likely[sum], place.loop.count == loop.count, place.lane.count == lane.count,
            bytes.repeats(place.loop, at: loop.lowerBound), bytes.repeats(place.lane, at: lane.lowerBound)
        {
            return place.number
        }
        let identity = LeaseIdentity(loop: PythonText(bytes.copy(loop)), lane: PythonText(bytes.copy(lane)))
        let number = number(of: identity)
        likely[sum] = Place(number: number, loop: loop, lane: lane)
        return number
    }
}

extension Span where Element == UInt8 {
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
