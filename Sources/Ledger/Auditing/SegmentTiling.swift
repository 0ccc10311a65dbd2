import DurableFiles
import LedgerFormat

/// Cuts a segment into what stands in it, whatever that is: frames, runs of NULs, and stretches that are neither.
///
/// The tiles follow each other without a gap, from the first byte to the last. Nothing of a frame is checked but its form.
struct SegmentTiling {
    struct Tile: Sendable, Equatable {
        enum Kind: Sendable, Equatable {
            case frame(seq: UInt64)
            case padding
            /// Why no frame starts here.
            case damage(String)
        }

        /// In bytes from the segment's start; never empty.
        var range: Range<Int>
        var kind: Kind
    }

    private let file: any StorageFile
    /// What is appended later is not seen.
    private(set) var byteCount: Int
    private var position = 0
    private var window: [UInt8] = []
    private var windowStart = 0

    /// Holds several frames of the greatest size, so that most bytes are read once.
    private static let windowByteCount = 4 << 20
    /// Fewer NULs are a part of the damage around them.
    private static let paddingByteCountMin = 16
    private static let mark = Array(":{\"entry\":".utf8)

    init(_ file: any StorageFile) throws(StorageError) {
        self.file = file
        byteCount = try file.status().size
    }

    /// Nil behind the last tile.
    mutating func next() throws(StorageError) -> Tile? {
        try fill()
        guard position < byteCount else { return nil }
        let start = position
        let kind: Tile.Kind
        switch FrameView.find(in: window.span, at: position - windowStart) {
        case .frame(let frame):
            position += frame.frame.count
            kind = .frame(seq: frame.seq)
        case .padding:
            try skipPadding()
            kind = .padding
        case .incomplete:
            try skipDamage()
            kind = .damage(ChainFailure.Reason.endsInsideFrame.description)
        case .fault(let fault):
            try skipDamage()
            kind = .damage(fault.description)
        }
        return Tile(range: start..<position, kind: kind)
    }

    private mutating func skipPadding() throws(StorageError) {
        while position < byteCount {
            let end = windowStart + window.count
            while position < end, window[position - windowStart] == 0 { position += 1 }
            if position < end { return }
            try fill()
        }
    }

    /// Goes on to where something else may begin: a line that looks like a frame, a sound frame anywhere, or NULs.
    private mutating func skipDamage() throws(StorageError) {
        var isBehindLineFeed = false
        repeat {
            isBehindLineFeed = window[position - windowStart] == 0x0A
            position += 1
            try fill()
        } while position < byteCount && !mayBegin(isBehindLineFeed)
    }

    private func mayBegin(_ isBehindLineFeed: Bool) -> Bool {
        let start = position - windowStart
        if window[start] == 0 {
            let end = min(window.count, start + Self.paddingByteCountMin)
            return isBehindLineFeed || window[start..<end].allSatisfy { $0 == 0 }
        }
        guard looksLikeFrame(at: start) else { return false }
        if isBehindLineFeed { return true }
        if case .frame = FrameView.find(in: window.span, at: start) { return true }
        return false
    }

    /// Whether digits and the constant text of a frame stand here, which no canonical frame has inside.
    private func looksLikeFrame(at start: Int) -> Bool {
        var colon = start
        while colon < window.count, colon - start < 8, window[colon] &- 0x30 < 10 { colon += 1 }
        guard colon > start, colon + Self.mark.count <= window.count else { return false }
        return window[colon..<colon + Self.mark.count].elementsEqual(Self.mark)
    }

    /// Makes the window hold a frame of the greatest size from the position on, or all there is.
    private mutating func fill() throws(StorageError) {
        let wanted = min(byteCount, position + Limits.frame)
        if position < byteCount, wanted <= windowStart + window.count { return }
        windowStart = position
        window = try file.bytes(in: position..<min(byteCount, position + Self.windowByteCount))
        // It may have been cut meanwhile.
        if windowStart + window.count < wanted { byteCount = windowStart + window.count }
    }
}

extension StorageFile {
    /// The bytes of a range, or as many of them as there are.
    func bytes(in range: Range<Int>) throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var count = 0
        while count < bytes.count {
            let read = try read(into: &bytes, from: count, at: range.lowerBound + count)
            if read == 0 { break }
            count += read
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
