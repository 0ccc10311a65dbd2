import CanonicalJSON
import PlantedDefects

/// Seals drafts into frames, one after the other: a block of bytes that continues a chain.
package struct FrameWriter: Sendable {
    /// The frames so far.
    package private(set) var block: [UInt8] = []
    /// The chain's tip with these frames.
    package private(set) var tip: ChainTip

    private let key: SealingKey
    private let synced: UInt64
    /// What all entries of the block have between their draft and their link, and between seq and time.
    private let names: [UInt8]
    private let syncedText: [UInt8]
    private var scanner = CanonicalScanner()

    /// - Parameters:
    ///   - tip: what the first frame will follow.
    ///   - synced: the highest seq that is durable now.
    package init(after tip: ChainTip, synced: UInt64, key: SealingKey) {
        precondition(key.id == tip.key, "the chain calls for another key")
        precondition(synced <= tip.seq, "nothing above the tip can be durable")
        self.tip = tip
        self.synced = synced
        self.key = key
        names = Array(",\"key\":\"\(key.id)\",\"ledger\":\"\(tip.ledger)\",\"prev_hash\":\"".utf8)
        syncedText = Array(",\"synced\":\(synced),\"time\":\"".utf8)
    }

    /// Seals one draft; a refused one leaves the block as it was.
    ///
    /// - Parameter payloadMax: bytes; more than for other drafts only where a frame is taken over from a damaged ledger.
    @discardableResult
    package mutating func append(
        _ draft: Draft, at time: Timestamp, part: Part? = nil, payloadMax: Int = Limits.draftPayload
    ) throws(DraftError) -> Receipt {
        precondition(tip.seq < Limits.seq, "the ledger is full")
        let syncedText = planted(.syncedTooHigh) ? Array(",\"synced\":\(tip.seq),\"time\":\"".utf8) : syncedText
        let opening = part.map { draft.text(with: $0) } ?? draft.text
        let seq = DecimalText(tip.seq + 1)
        let entryByteCount =
            opening.count + names.count + 64 + Self.seqName.count + seq.count + syncedText.count + Timestamp.byteCount
            + Self.entryEnd.count
        let payloadByteCount = Self.head.count + entryByteCount + FrameShape.tailByteCount
        guard payloadByteCount <= payloadMax || planted(.hugeDraftAccepted) else {
            throw .tooLarge(byteCount: payloadByteCount)
        }

        let start = block.count
        DecimalText(UInt64(payloadByteCount)).append(to: &block)
        block.append(UInt8(ascii: ":"))
        block.append(copying: Self.head.span)
        let entry = block.count..<block.count + entryByteCount
        block.append(copying: opening.span)
        block.append(contentsOf: names)
        tip.hash.append(to: &block)
        block.append(copying: Self.seqName.span)
        seq.append(to: &block)
        block.append(contentsOf: syncedText)
        time.append(to: &block)
        block.append(copying: Self.entryEnd.span)
        precondition(block.count == entry.upperBound, "an entry's length is known before it is written")
        let (sig, hash) = SealEngine.seal(block.span.extracting(entry), with: key)
        block.append(copying: Self.hashName.span)
        hash.append(to: &block)
        block.append(copying: Self.sigName.span)
        sig.append(to: &block)
        block.append(copying: Self.frameEnd.span)
        checkFrame(at: start)
        tip.seq += 1
        tip.hash = hash
        tip.synced = synced
        tip.time = time
        return Receipt(tip)
    }

    /// Goes on behind seqs that are missing for good; the next entry must be the repair that names them.
    package mutating func leaveGap(upTo last: UInt64) {
        precondition(last >= tip.seq, "a gap lies ahead")
        tip.seq = last
    }

    /// What could not be read back would lock the ledger for good: it stops the process before it reaches the disk.
    private mutating func checkFrame(at start: Int) {
        let block = block
        guard case .frame(let frame) = FrameView.find(in: block.span, at: start, &scanner),
            frame.frame.upperBound == block.count
        else { preconditionFailure("a sealed frame has the form of one") }
    }

    // The constant text of a frame, in its order.
    private static let head = Array("{\"entry\":".utf8)
    private static let seqName = Array("\",\"seq\":".utf8)
    private static let entryEnd = Array("\",\"v\":1}".utf8)
    private static let hashName = Array(",\"hash\":\"".utf8)
    private static let sigName = Array("\",\"sig\":\"".utf8)
    private static let frameEnd = Array("\"}\n".utf8)

    /// A point to which the block can be taken back.
    package struct Mark: Sendable {
        package fileprivate(set) var byteCount: Int
        fileprivate var tip: ChainTip
    }

    package var mark: Mark { Mark(byteCount: block.count, tip: tip) }

    /// Forgets the frames that were sealed since.
    package mutating func rewind(to mark: Mark) {
        block.removeLast(block.count - mark.byteCount)
        tip = mark.tip
    }
}

extension Draft {
    /// The text with the draft's place in a decision.
    fileprivate func text(with part: Part) -> [UInt8] {
        guard var object = try? JSON(parsing: context).object else { preconditionFailure("a draft's context is canonical") }
        object["part"] = .array([.number(Double(part.index)), .number(Double(part.count))])
        var text = text.span.copy(0..<members.context.lowerBound)
        text += JSON.object(object).canonicalBytes()
        text.append(copying: self.text.span.extracting(members.context.upperBound..<self.text.count))
        return text
    }
}
