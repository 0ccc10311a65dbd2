import CanonicalJSON

/// Seals drafts into frames, one after the other: a block of bytes that continues a chain.
package struct FrameWriter: Sendable {
    /// The frames so far.
    package private(set) var block: [UInt8] = []
    /// The chain's tip with these frames.
    package private(set) var tip: ChainTip

    private let key: SealingKey
    private let synced: UInt64

    /// - Parameters:
    ///   - tip: what the first frame will follow.
    ///   - synced: the highest seq that is durable now.
    package init(after tip: ChainTip, synced: UInt64, key: SealingKey) {
        precondition(key.id == tip.key, "the chain calls for another key")
        precondition(synced <= tip.seq, "nothing above the tip can be durable")
        self.tip = tip
        self.synced = synced
        self.key = key
    }

    /// Seals one draft; a refused one leaves the block as it was.
    ///
    @discardableResult
    package mutating func append(_ draft: Draft, at time: Timestamp, part: Part? = nil) throws(DraftError) -> Receipt {
        precondition(tip.seq < Limits.seq, "the ledger is full")
        var payload = openPayload(draft, time, part)
        let byteCount = payload.count + FrameShape.tailByteCount
        guard byteCount <= Limits.draftPayload else { throw .tooLarge(byteCount: byteCount) }
        let (sig, hash) = SealEngine.seal(payload.span.extracting(FrameShape.head.utf8CodeUnitCount..<payload.count), with: key)
        payload.append(contentsOf: Self.hashText)
        hash.append(to: &payload)
        payload.append(contentsOf: Self.sigText)
        sig.append(to: &payload)
        payload.append(contentsOf: Self.endText)
        block.append(contentsOf: String(payload.count).utf8)
        block.append(UInt8(ascii: ":"))
        block.append(contentsOf: payload)
        block.append(0x0A)
        tip.seq += 1
        tip.hash = hash
        tip.synced = synced
        tip.time = time
        return Receipt(tip)
    }

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

    private static let hashText = Array(",\"hash\":\"".utf8)
    private static let sigText = Array("\",\"sig\":\"".utf8)
    private static let endText = Array("\"}".utf8)

    /// `{"entry":ENTRY`, with the rest of the payload to come.
    private func openPayload(_ draft: Draft, _ time: Timestamp, _ part: Part?) -> [UInt8] {
        var writer = CanonicalWriter(reserving: draft.body.count + 768)
        writer.beginObject()
        writer.key("entry")
        writer.beginObject()
        writer.key("action")
        writer.string(draft.action)
        writer.key("actor")
        writer.string(draft.actor)
        writer.key("body")
        writer.canonical(draft.body.span)
        writer.key("context")
        if let part { writer.value(draft.context(with: part)) } else { writer.canonical(draft.context.span) }
        writer.key("justification")
        writer.beginObject()
        writer.key("pillar")
        writer.string(draft.justification.pillar.rawValue)
        writer.key("reason")
        writer.string(draft.justification.reason)
        writer.endObject()
        writer.key("key")
        writer.string(key.id.description)
        writer.key("ledger")
        writer.string(tip.ledger.description)
        writer.key("prev_hash")
        writer.string(tip.hash.description)
        writer.key("seq")
        writer.unsigned(tip.seq + 1)
        writer.key("synced")
        writer.unsigned(synced)
        writer.key("time")
        writer.string(time.description)
        writer.key("v")
        writer.integer(1)
        writer.endObject()
        return writer.bytes
    }
}

extension Draft {
    /// The context with its place in a decision.
    fileprivate func context(with part: Part) -> JSON {
        guard var object = try? JSON(parsing: context).object else { preconditionFailure("a draft's context is canonical") }
        object["part"] = .array([.number(Double(part.index)), .number(Double(part.count))])
        return .object(object)
    }
}
