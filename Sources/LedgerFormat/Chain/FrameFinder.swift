/// Finds frames whose own seal holds in bytes of which nothing else is known (resync).
package struct FrameFinder: Sendable {
    let ledger: LedgerID?
    let keys: [KeyID: SealingKey]
    let takesAbsentKeys: Bool

    /// A frame's seal must hold under one of the keys; without any a seal is its HASH only.
    ///
    /// - Parameters:
    ///   - ledger: nil for frames of any.
    ///   - takesAbsentKeys: whether, of frames that name another key than these, the HASH is enough.
    package init(ledger: LedgerID?, keys: [KeyID: SealingKey], takesAbsentKeys: Bool = false) {
        self.ledger = ledger
        self.keys = keys
        self.takesAbsentKeys = takesAbsentKeys || keys.isEmpty
    }

    private static let mark: StaticString = ":{\"entry\":"

    /// The next frame at or behind `start`.
    ///
    /// A frame starts with digits and `:{"entry":`, which cannot stand inside a canonical frame, so no damage hides a later one.
    package func next(in bytes: Span<UInt8>, from start: Int) -> FrameView? {
        var colon = start
        while colon < bytes.count {
            guard bytes[colon] == UInt8(ascii: ":"), bytes.holds(Self.mark, at: colon) else {
                colon += 1
                continue
            }
            // The digits before the colon may be preceded by damage that looks like more of them.
            var digit = colon
            while digit > start, colon - digit < 7, bytes[digit - 1] &- 0x30 < 10 { digit -= 1 }
            while digit < colon {
                if let frame = frame(in: bytes, at: digit) { return frame }
                digit += 1
            }
            colon += 1
        }
        return nil
    }

    private func frame(in bytes: Span<UInt8>, at start: Int) -> FrameView? {
        guard case .frame(let frame) = FrameView.find(in: bytes, at: start), ledger.map({ $0 == frame.ledger(in: bytes) }) ?? true
        else {
            return nil
        }
        let key = keys[frame.key(in: bytes)]
        guard key != nil || takesAbsentKeys else { return nil }
        return SealEngine.firstFault(in: [frame], of: bytes, key: key) == nil ? frame : nil
    }
}
