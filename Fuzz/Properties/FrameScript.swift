/// What an input of the target `frames` stands for: a few choices, and the bytes of a segment.
///
/// The bytes stand there themselves, or a script puts them together from true frames and damage, so that a short input can mean
/// a long ledger. Every input means something.
struct FrameScript {
    var isLastSegment: Bool
    var hasKey: Bool
    /// Which of the chain's frames HEAD vouches for.
    var headIndex: Int?
    /// How the segment is cut into pieces, and where it is divided.
    var choice: UInt64
    var segment: [UInt8]

    static let byteCountMax = 1 << 14

    init(_ input: [UInt8]) {
        let (flags, choice) = (input.first ?? 0, input.dropFirst().first ?? 0)
        isLastSegment = flags & 1 == 0
        hasKey = flags & 2 == 0
        headIndex = flags & 4 == 0 ? nil : Int(choice) % SealedFrames.shared.chain.count
        self.choice = UInt64(choice)
        let rest = input.dropFirst(2)
        segment = flags & 0x80 == 0 ? Array(rest) : Self.perform(rest)
    }

    private static func perform(_ script: ArraySlice<UInt8>) -> [UInt8] {
        let frames = SealedFrames.shared.all
        var segment: [UInt8] = []
        var rest = script
        while let order = rest.popFirst(), segment.count < byteCountMax {
            let high = Int(order & 15) << 8
            switch order {
            case 0..<0x80: segment += frames[Int(order) % frames.count]
            case 0x80..<0x88: segment += [UInt8](repeating: 0, count: Int(rest.popFirst() ?? 1))
            case 0x88..<0x90: while segment.count % 512 > 0 { segment.append(0) }
            case 0x90..<0xA0: segment.removeLast(min(segment.count, high + Int(rest.popFirst() ?? 1)))
            case 0xA0..<0xB0:
                let distance = high + Int(rest.popFirst() ?? 0) + 1
                let byte = rest.popFirst() ?? 0
                if distance <= segment.count { segment[segment.count - distance] = byte }
            default:
                segment += rest.prefix(Int(order & 15) + 1)
                rest = rest.dropFirst(Int(order & 15) + 1)
            }
        }
        return segment
    }
}
