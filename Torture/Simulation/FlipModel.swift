import DurableFiles
import Ledger
import LedgerFormat

/// What an audit must say of a ledger in which one bit is flipped: reckoned from FORMAT.md §6, not from an audit.
struct FlipModel: Sendable {
    struct Expectation: Sendable {
        var verdict: AuditReport.Verdict
        var place: Place
        /// Where the chain's own verifier, which judges no tears, fails.
        var failingPlace: Place
    }

    private let ledger: SampleLedger
    /// The last frame that HEAD vouches for.
    private let head: Int
    private let headBytes: [UInt8]

    init(_ ledger: SampleLedger, head: Int, headBytes: [UInt8]) {
        self.ledger = ledger
        self.head = head
        self.headBytes = headBytes
    }

    func verdict(_ target: FlipTargets.Target, _ mask: UInt8) -> Expectation {
        guard let index = target.segment else { return verdict(outsideSegments: target, mask) }
        let segment = ledger.segments[index]
        guard let frame = frame(of: target) else { return verdict(ofPadding: target.offset, segment) }
        let place = ledger.frames[frame].place
        let tear = segment.bytes[target.offset] == mask ? tear(frame, NUL: target.offset) : nil
        return Expectation(verdict: tear == nil ? .tampered : .torn, place: tear ?? place, failingPlace: place)
    }

    /// The frame that the byte belongs to; nil in padding.
    func frame(of target: FlipTargets.Target) -> Int? {
        guard let segment = target.segment else { return nil }
        var range = ledger.segments[segment].frames
        guard target.offset < ledger.segments[segment].dataEnd else { return nil }
        while range.count > 1 {
            let middle = range.lowerBound + range.count / 2
            let isBefore = target.offset < ledger.frames[middle].place.offset
            range = isBefore ? range.lowerBound..<middle : middle..<range.upperBound
        }
        return range.lowerBound
    }

    /// A HEAD of another form, or whose MAC does not match, is wrong, and nothing else is; a changed key file holds no key, or another.
    ///
    /// A HEAD that names a key which is not there, in the form of one, has a MAC that nobody can check: it is its entry that speaks against it.
    private func verdict(outsideSegments target: FlipTargets.Target, _ mask: UInt8) -> Expectation {
        guard let last = ledger.segments.last else { preconditionFailure("a ledger has a segment") }
        if target.path == Layout.head {
            if isDigitOfKey(target.offset), Self.digits.contains(headBytes[target.offset] ^ mask) {
                let place = ledger.frames[head].place
                return Expectation(verdict: .tampered, place: place, failingPlace: place)
            }
            let place = Place(segment: 0, offset: 0, seq: ledger.lastSeq)
            return Expectation(verdict: .tampered, place: place, failingPlace: place)
        }
        let end = Place(segment: last.firstSeq, offset: last.dataEnd, seq: ledger.lastSeq)
        return Expectation(verdict: .unverifiable, place: end, failingPlace: end)
    }

    private static let digits = Array("0123456789abcdef".utf8)

    /// Whether a byte of HEAD is one of the 16 digits of its `key`.
    private func isDigitOfKey(_ offset: Int) -> Bool {
        let name = Array(#""key":""#.utf8)
        guard let start = headBytes.indices.first(where: { headBytes[$0...].starts(with: name) }) else { return false }
        return (start + name.count..<start + name.count + 16).contains(offset)
    }

    /// Padding becomes NULs, one other byte, NULs: torn if the NULs before it are there and end where a sector does, as
    /// they would if its sector alone had come to the disk. The byte by itself begins no frame: it has one bit, a digit two and more.
    private func verdict(ofPadding offset: Int, _ segment: SampleLedger.Segment) -> Expectation {
        let place = Place(segment: segment.firstSeq, offset: segment.dataEnd, seq: ledger.lastSeq + 1)
        let isTorn = offset > segment.dataEnd && offset % 512 == 0
        return Expectation(verdict: isTorn ? .torn : .tampered, place: place, failingPlace: place)
    }

    /// The decision that a crash could have left torn when one of its bytes has become NUL.
    ///
    /// That is the one case in which a flipped bit looks like a crash: the byte is the last of its sector, lies beyond HEAD, and
    /// no later block says that it was durable.
    private func tear(_ frame: Int, NUL offset: Int) -> Place? {
        let start = ledger.frames[ledger.frames[frame].decision.lowerBound].place
        guard frame > head, (offset + 1) % 512 == 0, start.segment == ledger.segments.last?.firstSeq else { return nil }
        let isKnown = ledger.frames[(frame + 1)...].contains { $0.synced >= start.seq }
        return isKnown ? nil : start
    }
}

// What a byte is
extension FlipModel {
    func kind(of target: FlipTargets.Target) -> String {
        guard let segment = target.segment else { return target.path == Layout.head ? "HEAD" : "key file" }
        guard let index = frame(of: target) else { return "padding" }
        let frame = ledger.frames[index]
        let bytes = ledger.segments[segment].bytes[frame.bytes]
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return "entry" }
        // `"}` and a line feed end a frame; SIG and HASH stand at fixed distances before them.
        let distance = frame.bytes.upperBound - target.offset
        switch target.offset {
        case ..<colon: return "length"
        case colon: return "colon"
        default: break
        }
        if target.offset <= colon + #"{"entry":"#.utf8.count { return "frame's shape" }
        switch distance {
        case 1: return "line feed"
        case 4...67: return "sig"
        case 77...140: return "hash"
        case ...149: return "frame's shape"
        default: return "entry"
        }
    }
}
