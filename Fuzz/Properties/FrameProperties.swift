import DurableFiles
import LedgerFormat
import TestSupport

/// Any bytes of a segment: only sealed frames are accepted, in their one order, however the bytes arrive.
enum FrameProperties {
    private static let sealed = SealedFrames.shared
    private static let keys = [TestLedger.key.id: TestLedger.key]

    static func check(_ input: [UInt8]) throws(BrokenProperty) {
        let script = FrameScript(input)
        let whole = try run(script, .whole)
        for pieces in [.singleFrames, .random(SeededGenerator(seed: script.choice))] as [FrameRun.Pieces] {
            let other = try run(script, pieces)
            try hold(other.result == whole.result, "in one piece: \(whole.result); in \(pieces): \(other.result)")
            try hold(other.frames == whole.frames, "in \(pieces) other frames are shown")
        }
        try onlyGenuine(whole, script)
        if let failure = whole.failure {
            try hold(failure.place == whole.verifier.position, "the failure is not where verification stands: \(whole.result)")
            try tail(script.segment, failure.place)
        }
        if script.headIndex == nil, whole.frames.count > 1 { try divided(whole, script) }
        try resync(whole, script)
    }

    private static func run(_ script: FrameScript, _ pieces: FrameRun.Pieces) throws(BrokenProperty) -> FrameRun {
        let head = script.headIndex.map { Head(alert: false, end: sealed.ends[$0], segment: 1, tip: sealed.tips[$0]) }
        var run = FrameRun(ChainVerifier(keys: script.hasKey ? keys : [:], head: head))
        try begin(&run, script)
        try run.feed(script.segment, pieces)
        return run
    }

    private static func begin(_ run: inout FrameRun, _ script: FrameScript, offset: Int = 0) throws(BrokenProperty) {
        do throws(ChainFailure) {
            try run.verifier.beginSegment(firstSeq: 1, isLast: script.isLastSegment, offset: offset)
        } catch {
            throw BrokenProperty("the segment cannot begin: \(error)")
        }
    }

    /// What was verified with the key is a beginning of the one true chain, and lies there without a gap.
    private static func onlyGenuine(_ run: FrameRun, _ script: FrameScript) throws(BrokenProperty) {
        try hold(run.frames.count == Int(run.verifier.entryCount), "\(run.frames.count) frames are shown, \(run.result)")
        var end = 0
        for frame in run.frames {
            try hold(frame.lowerBound == end, "a frame at \(frame) is shown behind \(end)")
            end = frame.upperBound
        }
        try hold(run.verifier.position.offset == end, "it stands elsewhere than behind its last frame: \(run.result)")
        if let head = script.headIndex, run.failure == nil {
            try hold(
                run.verifier.reachedHead == (run.frames.count > head), "what HEAD vouches for is there, or not: \(run.result)")
        }
        guard script.hasKey, run.verifier.absentKeys.isEmpty else { return }
        try hold(run.frames.count <= sealed.chain.count, "more is accepted than was ever sealed")
        for (index, frame) in run.frames.enumerated() {
            try hold(
                Array(script.segment[frame]) == sealed.chain[index], "frame \(index + 1) is accepted, and was never sealed so")
        }
    }

    /// Verified from a frame in the middle on, and joined, it is the same.
    private static func divided(_ whole: FrameRun, _ script: FrameScript) throws(BrokenProperty) {
        let count = 1 + Int(script.choice) % (whole.frames.count - 1)
        let border = whole.frames[count].lowerBound
        let keys = script.hasKey ? keys : [:]
        var first = FrameRun(ChainVerifier(keys: keys))
        try begin(&first, script)
        try first.feed(script.segment, to: border, isEnd: false)
        guard first.failure == nil, let tip = first.verifier.tip, first.verifier.entryCount == count else {
            throw BrokenProperty("of \(count) frames alone it is said: \(first.result)")
        }
        // Nobody divides a decision.
        if first.verifier.openDecision != nil { return }
        let place = first.verifier.position

        var rest = FrameRun(ChainVerifier(after: tip, position: place, keys: keys))
        try begin(&rest, script, offset: place.offset)
        try rest.feed(script.segment, from: border)
        rest.verifier.addEntries(UInt64(count))
        try hold(rest.result == whole.result, "continued behind entry \(count): \(rest.result); whole: \(whole.result)")

        var piece = FrameRun(ChainVerifier(at: place, of: tip.ledger, key: tip.key, keys: keys))
        try begin(&piece, script, offset: place.offset)
        try piece.feed(script.segment, from: border)
        guard let joined = first.verifier.joined(with: piece.verifier) else {
            throw BrokenProperty("the pieces do not join behind entry \(count): \(piece.result)")
        }
        piece.verifier = joined
        try hold(piece.result == whole.result, "joined behind entry \(count): \(piece.result); whole: \(whole.result)")
    }

    /// Resync finds frames with a true seal only, all that were verified among them, and the same from any later start.
    private static func resync(_ whole: FrameRun, _ script: FrameScript) throws(BrokenProperty) {
        let finder = FrameFinder(ledger: sealed.tips[0].ledger, keys: keys)
        let segment = script.segment
        var found: [Range<Int>] = []
        while let frame = finder.next(in: segment.span, from: found.last?.upperBound ?? 0) {
            try hold(frame.frame.lowerBound >= found.last?.upperBound ?? 0, "frames that are found overlap")
            found.append(frame.frame)
            try hold(
                sealed.findable.contains(Array(segment[frame.frame])), "a frame is found at \(frame.frame) that nobody sealed")
        }
        if whole.verifier.absentKeys.isEmpty, !whole.frames.isEmpty {
            try hold(found.starts(with: whole.frames), "frames that are verified are not found: \(found), \(whole.frames)")
        }
        let start = segment.isEmpty ? 0 : Int(script.choice) * 61 % segment.count
        let next = finder.next(in: segment.span, from: start)?.frame
        try hold(next == found.first { $0.lowerBound >= start }, "from \(start) on \(next.map { "\($0)" } ?? "nothing") is found")
    }

    /// Whether damage may be a crash's work depends on the damage and on where sectors lie, and on nothing else.
    private static func tail(_ segment: [UInt8], _ place: Place) throws(BrokenProperty) {
        let finder = FrameFinder(ledger: sealed.tips[0].ledger, keys: keys)
        func objection(_ tail: [UInt8], at offset: Int) -> TornTail.Objection? {
            TornTail.objection(to: tail.span, at: offset, seq: place.seq, finder: finder)
        }
        let tail = Array(segment[place.offset...])
        let found = objection(tail, at: place.offset)
        let padded = objection(tail + [UInt8](repeating: 0, count: 700), at: place.offset)
        try hold(padded == found, "with NULs behind: \(String(describing: padded)), without: \(String(describing: found))")
        switch (found, objection(tail, at: place.offset + 4096)) {
        case (.noTraceOfCrash(let here), .noTraceOfCrash(let there)):
            try hold(there == here + 4096 && here >= place.offset, "the objection is at \(here), moved by 4096 at \(there)")
        case (let here, let there):
            try hold(here == there, "moved by 4096: \(String(describing: there)), before: \(String(describing: here))")
        }
        // A frame behind it that knew this place as durable forbids the cut, whatever the damage looks like.
        guard let knowing = sealed.tips.firstIndex(where: { $0.synced >= place.seq }) else { return }
        try hold(objection(tail + sealed.chain[knowing], at: place.offset) != nil, "what was durable may be cut")
    }
}

extension FrameProperties {
    static let seeds: [[UInt8]] = {
        let count = UInt8(sealed.chain.count)
        let chain = Array(0..<count)
        let firstLawless = count
        let firstForeign = count + UInt8(sealed.lawless.count)
        var scripts: [[UInt8]] = [chain, [0, 1, 2], Array(chain[..<5])]
        // Damage of every kind behind a few frames: cut, changed, NULs, a lost sector, junk, a frame again, one left out.
        scripts += [
            [0, 1, 2, 0x90, 40], [0, 1, 2, 0xA0, 200, 0x78], [0, 1, 2, 0x80, 200], [0, 1, 2, 0x80, 200, 0xB0, 0x61],
            [0, 1, 2, 0x90, 40, 0x88, 3, 4, 5], [0, 1, 2, 0x88, 8, 9], [0, 1, 2, 0xB4, 0x34, 0x39, 0x38, 0x3A, 0x7B],
            [0, 1, 1, 2],
            [0, 2, 3], [1, 0], [0, 1, 2, 3, 4, 6, 7], [0, 1, 2, 0x90, 200, 0x88, 8, 9],
        ]
        for frame in firstLawless..<firstForeign + UInt8(sealed.foreign.count) { scripts.append([0, 1, 2, frame, 3, 4, 5]) }
        var seeds: [[UInt8]] = []
        for (index, script) in scripts.enumerated() {
            seeds.append([0x80, UInt8(index)] + script)
            seeds.append([0x80 | UInt8(index % 8), UInt8(index * 7 & 0xFF)] + script)
        }
        return seeds + [
            [], [0, 0], [0, 3] + sealed.chain[..<4].joined(), [4, 2] + sealed.chain[..<3].joined(), [2, 1] + sealed.chain[0],
        ]
    }()

    static let words = [
        ":{\"entry\":{\"action\":\"", "\",\"actor\":\"", "\",\"body\":{", "},\"context\":{", "\"part\":[1,2]",
        "},\"justification\":{\"pillar\":\"", "\",\"reason\":\"", "\"},\"key\":\"", "\",\"ledger\":\"", "\",\"prev_hash\":\"",
        "\",\"seq\":",
        ",\"synced\":", ",\"time\":\"", "\",\"v\":1},\"hash\":\"", "\",\"sig\":\"", "\"}\n", "ledger.genesis", "1048576:",
        "1048577:", "99999999:",
        "0:", "498:", "\u{0}\u{0}\u{0}\u{0}", "\"v\":2", "9007199254740992", "2026-01-31T12:00:00.000000Z",
    ]
}
