import LedgerFormat

/// The seqs that nothing re-admitted may have any more: of entries that the verified prefix holds, or that an earlier repair gave up.
struct TakenSeqs {
    /// Everything up to it.
    private var floor: UInt64 = 0
    /// What repairs, and the entries behind them, have for themselves: their wrapped ones may have lower seqs.
    private var houses: [ClosedRange<UInt64>] = []
    private var lastSeq: UInt64 = 0

    var ranges: [ClosedRange<UInt64>] { (floor > 0 ? [1...floor] : []) + houses }

    /// The next verified entry.
    mutating func note(_ frame: FrameView, _ bytes: Span<UInt8>) {
        defer { lastSeq = frame.seq }
        if frame.seq > lastSeq + 1 {
            // Behind a gap stands the repair that names it, and what it takes over comes next.
            houses.append(frame.seq...frame.seq)
            return
        }
        if let repair = houses.last {
            if let wrapped = Readmission(frame, of: bytes) {
                floor = max(floor, wrapped.entry.seq)
                houses[houses.count - 1] = repair.lowerBound...frame.seq
                return
            }
            let isRotation = frame.seq == repair.lowerBound + 1 && bytes.text(frame.action) == ChainTurn.rotated
            if isRotation || bytes.text(frame.action) == RosterStatement.stated {
                houses[houses.count - 1] = repair.lowerBound...frame.seq
                return
            }
        }
        floor = frame.seq
        houses = []
    }

    /// An entry whose decision is not whole yet.
    mutating func pass(_ frame: FrameView) { lastSeq = frame.seq }
}
