package import DurableFiles
package import LedgerFormat

/// What stands around a place of a segment, byte for byte; no verdict on the ledger.
package struct Inspection: Sendable {
    package struct Piece: Sendable, Equatable {
        package enum Content: Sendable, Equatable {
            case frame(InspectedFrame)
            /// NULs and nothing else.
            case padding
            /// Why no frame starts here.
            case damage(String)
        }

        /// In bytes from the segment's start. The pieces follow each other without a gap.
        package var range: Range<Int>
        package var content: Content
    }

    /// First seq of the segment.
    package let segment: UInt64
    /// Of the segment, in bytes.
    package let byteCount: Int
    package let pieces: [Piece]
    /// Which of the pieces was asked for.
    package let target: Int
    /// No frame has the seq that was asked for, and the target is where it must have stood.
    package let isSeqLost: Bool
    /// The entry that was asked for stands in the target, another entry, by which a repair re-admitted it.
    package let readmission: Readmitted?
    /// Where HEAD's last entry ends, if it does in this segment.
    package let headEnd: Int?

    package struct Readmitted: Sendable, Equatable {
        /// Of the entry that holds it.
        package let seq: UInt64
        package let isProven: Bool
    }

    fileprivate let file: any StorageFile

    /// The bytes of a part of a piece.
    package func bytes(in range: Range<Int>) throws(LedgerError) -> [UInt8] {
        try doing("cannot read the ledger") { () throws(StorageError) in try file.bytes(in: range) }
    }
}

/// A frame of the right form, and which of its promises hold; nil where that cannot be told.
package struct InspectedFrame: Sendable, Equatable {
    package let seq: UInt64
    package let time: Timestamp
    package let actor: String
    package let action: String
    /// Whether `ledger` and `key` are this ledger's.
    package let isOurs: Bool?
    /// Whether seq and `prev_hash` continue the frame right before it.
    package let followsSeq: Bool?
    package let isLinked: Bool?
    package let hashHolds: Bool
    package let signatureHolds: Bool?

    /// What does not hold, each in a few words.
    package var faults: [String] {
        var faults: [String] = []
        if !hashHolds { faults.append("seal wrong: its hash does not match") }
        if signatureHolds == false { faults.append("seal wrong: its sig does not match") }
        if isLinked == false { faults.append("link wrong: prev_hash is not the hash of the entry before") }
        if followsSeq == false { faults.append("out of order: its seq does not follow the one before") }
        if isOurs == false { faults.append("of another ledger or key") }
        return faults
    }

    /// What could not be checked.
    package var doubts: [String] {
        var doubts: [String] = []
        if hashHolds, signatureHolds == nil { doubts.append("sig not checked, the key is absent") }
        if isLinked == nil { doubts.append("link not checked, no frame stands right before it") }
        return doubts
    }
}

/// Where to look.
package enum InspectionTarget: Sendable, Equatable {
    case seq(UInt64)
    /// Bytes from the start of a segment, which is named where there are several.
    case offset(Int, segment: UInt64?)
}

/// Looks at a ledger in any state, without lock and with or without its key.
package struct Inspector {
    private let view: LedgerView
    private let reader: SegmentReader
    private let environment: Environment
    private var keys: [KeyID: SealingKey] { view.keyring.keys }

    package init(_ storage: any Storage, _ environment: Environment) throws(LedgerError) {
        self.environment = environment
        do throws(LedgerError) {
            view = try LedgerView(storage)
        } catch {
            // A key file that must not be used is no reason not to look.
            guard error.code == .refused else { throw error }
            view = try LedgerView(storage, keyring: Keyring(allIn: storage, needed: []))
        }
        reader = try doing("cannot read the ledger") { () throws(StorageError) in try SegmentReader(storage) }
    }

    /// The pieces around a place, `around` of them on each side if there are so many.
    ///
    /// An entry that a repair re-admitted is shown where it stands now; one that was lost in a repair is tampering.
    package func inspect(_ target: InspectionTarget, around: Int) throws(LedgerError) -> Inspection {
        do throws(LedgerError) {
            return try inspect(target, around: around, readmission: nil)
        } catch {
            guard error.code == .usage, case .seq(let seq) = target else { throw error }
            if seq < view.firstSeq, let absence = try? EntryReader(view, environment).absence(of: seq) { throw absence }
            // Of a damaged ledger nothing is known but that the entry is not in its place.
            guard let fate = try? EntryReader(view, environment).fate(of: seq) else { throw error }
            switch fate {
            case .inPlace: throw error
            case .readmitted(let found, let holder):
                let readmission = Inspection.Readmitted(seq: holder, isProven: found.isProven)
                return try inspect(.seq(holder), around: around, readmission: readmission)
            case .lost(let repair): throw LedgerError(lost: seq, in: repair)
            }
        }
    }

    private func inspect(
        _ target: InspectionTarget, around: Int, readmission: Inspection.Readmitted?
    ) throws(LedgerError) -> Inspection {
        let segment = try segment(of: target)
        let file = try doing("cannot read the ledger") { () throws(StorageError) in try reader.open(segment: segment) }
        let offset: Int
        var isSeqLost = false
        switch target {
        case .seq(let seq): (offset, isSeqLost) = try find(seq, in: segment, file)
        case .offset(let wanted, _): offset = try check(wanted, in: segment, file)
        }
        return try doing("cannot read the ledger") { () throws(StorageError) in
            let shown = try tiles(around: offset, around, file)
            var pieces: [Inspection.Piece] = []
            var previous = try lastTip(before: shown.tiles[0], shown.before, segment, file)
            for tile in shown.tiles {
                let (content, tip) = try content(of: tile, after: previous, file)
                pieces.append(Inspection.Piece(range: tile.range, content: content))
                previous = tip
            }
            let head = HeadFinding(view.headBytes, keys: keys).head
            return Inspection(
                segment: segment, byteCount: shown.byteCount, pieces: pieces, target: shown.target, isSeqLost: isSeqLost,
                readmission: readmission, headEnd: head?.segment == segment ? head?.end : nil, file: file)
        }
    }
}

// Where
extension Inspector {
    private func segment(of target: InspectionTarget) throws(LedgerError) -> UInt64 {
        guard let first = reader.segments.first, let last = reader.segments.last else {
            throw LedgerError(.usage, "\(view.storage.basePath) holds no segment: there is nothing to look at")
        }
        switch target {
        case .seq(let seq):
            if let segment = reader.segments.last(where: { $0 <= seq }) { return segment }
            throw LedgerError(.usage, "there is no entry \(seq): the first segment begins at seq \(first)")
        case .offset(_, let segment?):
            if reader.segments.contains(segment) { return segment }
            throw LedgerError(
                .usage,
                "there is no segment \(segment): the \(reader.segments.count) that are there begin at seq \(first) to \(last)")
        case .offset(_, nil):
            if first == last { return first }
            throw LedgerError(
                .usage,
                "there are \(reader.segments.count) segments, which begin at seq \(first) to \(last): name one with --segment")
        }
    }

    private func check(_ offset: Int, in segment: UInt64, _ file: any StorageFile) throws(LedgerError) -> Int {
        let size = try doing("cannot read the ledger") { () throws(StorageError) in try file.status().size }
        let name = SegmentName.file(firstSeq: segment)
        guard size > 0 else { throw LedgerError(.usage, "segment \(name) is empty") }
        guard (0..<size).contains(offset) else {
            throw LedgerError(.usage, "offset \(offset) is not in segment \(name), which goes from 0 to \(size - 1)")
        }
        return offset
    }

    /// Where the frame of this seq starts, or the damage that it must have stood in.
    private func find(_ seq: UInt64, in segment: UInt64, _ file: any StorageFile) throws(LedgerError) -> (Int, isLost: Bool) {
        var search = SeqSearch(seq)
        let found = try doing("cannot read the ledger") { () throws(StorageError) -> Int? in
            var tiling = try SegmentTiling(file)
            while let tile = try tiling.next() {
                if let offset = search.visit(tile) { return offset }
            }
            return nil
        }
        if let found { return (found, false) }
        if let lost = search.lost { return (lost, true) }
        let range = search.seqs.map { "holds seq \($0.lowerBound) to \($0.upperBound)" } ?? "holds no frame that can be read"
        throw LedgerError(
            .usage, "there is no entry \(seq): it would stand in segment \(SegmentName.file(firstSeq: segment)), which \(range)")
    }

    /// Finds the frame of a seq among tiles that come in their order; and remembers which damage can hold it if none is.
    private struct SeqSearch {
        let seq: UInt64
        private(set) var seqs: ClosedRange<UInt64>?
        private var below: UInt64?
        private var isBehind = false
        private var hole: (range: Range<Int>, isPadding: Bool)?

        /// No frame is shorter, in bytes.
        private static let frameByteCountMin: UInt64 = 256

        init(_ seq: UInt64) { self.seq = seq }

        /// The offset, once it is there.
        mutating func visit(_ tile: SegmentTiling.Tile) -> Int? {
            switch tile.kind {
            case .frame(let found):
                if found == seq { return tile.range.lowerBound }
                seqs = seqs.map { min($0.lowerBound, found)...max($0.upperBound, found) } ?? found...found
                if found > seq {
                    isBehind = true
                } else if !isBehind {
                    (below, hole) = (found, nil)
                }
            case .damage, .padding:
                if !isBehind, hole == nil { hole = (tile.range, tile.kind == .padding) }
            }
            return nil
        }

        /// The first place without a frame behind all that comes before; at the end of data only damage, if it is long enough for
        /// so many entries.
        var lost: Int? {
            guard let hole else { return nil }
            if isBehind { return hole.range.lowerBound }
            let entryCountMax = UInt64(hole.range.count) / Self.frameByteCountMin + 1
            return !hole.isPadding && seq - (below ?? 0) <= entryCountMax ? hole.range.lowerBound : nil
        }
    }

    private struct Shown {
        var tiles: [SegmentTiling.Tile]
        var target: Int
        /// The tile before the first.
        var before: SegmentTiling.Tile?
        var byteCount: Int
    }

    private func tiles(around offset: Int, _ around: Int, _ file: any StorageFile) throws(StorageError) -> Shown {
        var tiling = try SegmentTiling(file)
        var tiles: [SegmentTiling.Tile] = []
        var target: Int?
        while let tile = try tiling.next() {
            tiles.append(tile)
            if let target {
                if tiles.count - target > around { break }
            } else if tile.range.contains(offset) {
                target = tiles.count - 1
                if around == 0 { break }
            } else if tiles.count > around + 1 {
                tiles.removeFirst()
            }
        }
        // It was cut while we looked: its end is what there is.
        guard !tiles.isEmpty else { throw StorageError(.drift, "read", file.path.description) }
        let end = target ?? tiles.count - 1
        let first = max(0, end - around)
        return Shown(
            tiles: Array(tiles[first...]), target: end - first, before: first > 0 ? tiles[first - 1] : nil,
            byteCount: tiling.byteCount)
    }
}

// What
extension Inspector {
    /// What the first shown frame must continue; nil when no frame stands right before it.
    private func lastTip(
        before first: SegmentTiling.Tile, _ before: SegmentTiling.Tile?, _ segment: UInt64, _ file: any StorageFile
    ) throws(StorageError) -> ChainTip? {
        if let before { return try tip(of: before, file) }
        guard first.range.lowerBound == 0 else { return nil }
        guard let earlier = reader.segments.last(where: { $0 < segment }) else {
            // The first entry's link is fixed.
            guard segment == 1, let ledger = view.ledger, let key = view.genesis?.key ?? view.validHead?.key else { return nil }
            return ChainTip(emptyLedger: ledger, key: key)
        }
        let earlierFile = try reader.open(segment: earlier)
        guard let last = try reader.lastFrame(endingAt: earlierFile.status().size, in: earlierFile) else { return nil }
        return ChainTip(last.frame, of: last.bytes.span)
    }

    private func tip(of tile: SegmentTiling.Tile, _ file: any StorageFile) throws(StorageError) -> ChainTip? {
        guard case .frame = tile.kind else { return nil }
        let bytes = try file.bytes(in: tile.range)
        guard !bytes.isEmpty, case .frame(let frame) = FrameView.find(in: bytes.span, at: 0) else { return nil }
        return ChainTip(frame, of: bytes.span)
    }

    /// With the tip that the next frame must continue.
    private func content(
        of tile: SegmentTiling.Tile, after previous: ChainTip?, _ file: any StorageFile
    ) throws(StorageError) -> (Inspection.Piece.Content, ChainTip?) {
        switch tile.kind {
        case .padding: return (.padding, nil)
        case .damage(let reason): return (.damage(reason), nil)
        case .frame: break
        }
        let bytes = try file.bytes(in: tile.range)
        // The bytes may have changed since they were cut into tiles.
        guard !bytes.isEmpty, case .frame(let frame) = FrameView.find(in: bytes.span, at: 0), frame.frame.count == bytes.count
        else {
            return (.damage("the bytes changed while they were looked at"), nil)
        }
        let tip = ChainTip(frame, of: bytes.span)
        let named = frame.key(in: bytes.span)
        let key = keys[named]
        let fault = SealEngine.firstFault(in: [frame], of: bytes.span, key: key)?.fault
        let inspected = InspectedFrame(
            seq: frame.seq, time: frame.time, actor: bytes.span.text(frame.actor), action: bytes.span.text(frame.action),
            isOurs: view.ledger.map { $0 == tip.ledger && previous?.key ?? named == named },
            followsSeq: previous.map { frame.gap(in: bytes.span)?.lowerBound ?? frame.seq == $0.seq + 1 },
            isLinked: previous.map { $0.hash == frame.previousHash(in: bytes.span) }, hashHolds: fault != .hash,
            signatureHolds: key == nil || fault == .hash ? nil : fault == nil)
        return (.frame(inspected), tip)
    }
}
