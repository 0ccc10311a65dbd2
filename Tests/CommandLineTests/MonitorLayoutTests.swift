import BullaCommand
import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

@Suite("The monitor's screen") struct MonitorLayoutTests {
    private let now = Timestamp(microseconds: 1_769_860_800_000_000)

    private func state(rowCount: Int = 60, reason: String = "a reason") -> MonitorState {
        var state = MonitorState(path: "/var/lib/bulla", now: now)
        let time = Timestamp(microseconds: now.microseconds - 3_000_000)
        state.ledger = LedgerID(1, 2)
        state.tip = Receipt(ledger: LedgerID(1, 2), seq: 12_345, hash: Digest.zero, time: time)
        state.rate = 12.34
        state.byteCount = 5_000_000
        state.segmentCount = 1
        state.key = TestLedger.key.id
        state.isOpen = true
        state.rows = (0..<rowCount).map { number in
            MonitorState.Row(
                seq: UInt64(12_346 - rowCount + number), time: time, actor: "user:ada", action: "deploy.start", reason: reason)
        }
        return state
    }

    private func texts(_ state: MonitorState, _ width: Int, _ height: Int) -> [String] {
        MonitorLayout(width: width, height: height).lines(state).map(\.text)
    }

    @Test("fills the screen, and no line is wider", arguments: [(80, 24), (200, 50), (40, 10)])
    func fits(width: Int, height: Int) {
        let lines = texts(state(), width, height)
        #expect(lines.count == height)
        #expect(lines.allSatisfy { Cells.width($0) <= width })
        #expect(lines.contains { $0.contains("seq 12,345, 3 s ago") })
        #expect(lines.contains { $0.contains("12345 ") && $0.contains("user:") })
    }

    @Test("no size is too small or too large, and no state too odd")
    func everySize() {
        var odd = state(
            reason:
                "部署 \u{1B}[31m\u{202E}👩‍👩‍👧‍👦 Z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}\u{30A}\u{30B}\u{200B}\nend"
        )
        odd.path = "/一个很长的路径/" + String(repeating: "x", count: 300)
        odd.trouble = LedgerError(.tampered, String(repeating: "wörter und 中文 ", count: 40))
        for state in [state(), odd, MonitorState(path: "", now: now)] {
            for width in 0...130 {
                for height in [0, 1, 2, 5, 9, 10, 24, 100] {
                    let lines = texts(state, width, height)
                    #expect(lines.count <= height)
                    for line in lines {
                        #expect(Cells.width(line) <= width, "\(width)x\(height): \(line)")
                        #expect(!line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E || $0.value == 0x200B })
                    }
                }
            }
        }
    }

    @Test("the newest entry is the first of the list, and a few are seen on the smallest screen")
    func newestFirst() throws {
        for (width, height) in [(80, 24), (40, 10)] {
            let lines = texts(state(), width, height)
            let heading = try #require(lines.firstIndex { $0.contains("actor") })
            #expect(lines.count - heading > 3)
            #expect(lines[heading + 1].contains("12345") && lines[heading + 2].contains("12344"))
        }
    }

    @Test("an alert, damage and an absent key are loud, and say what is wrong before anything else")
    func loud() {
        func verdict(_ change: (inout MonitorState) -> Void) -> [MonitorLayout.Line] {
            var state = state()
            change(&state)
            return MonitorLayout(width: 80, height: 24).lines(state).filter { $0.style == .loud }
        }
        #expect(verdict { _ in }.isEmpty)
        #expect(verdict { $0.isAlert = true }.first?.text.hasPrefix("ALERT RAISED: nothing is written") == true)
        let damage = verdict {
            $0.trouble = LedgerError(.tampered, "segment 1, offset 3, seq 2: " + String(repeating: "words ", count: 20))
        }
        #expect(damage.count > 1 && damage[0].text.hasPrefix("TAMPERED: segment 1, offset 3, seq 2"))
        #expect(verdict { $0.trouble = LedgerError(.inputOutput, "no") }.first?.text.hasPrefix("CANNOT BE READ: no") == true)
        #expect(verdict { $0.keyAbsence = "it is gone" }.first?.text.hasPrefix("UNVERIFIABLE: it is gone") == true)
    }

    @Test("who has the lock is named, and that he is stopped; what is not known is said")
    func facts() {
        var held = state()
        held.holder = LockHolder(process: 4711, command: "bulla\u{7}", isStopped: true)
        let lines = texts(held, 80, 24)
        #expect(lines.contains { $0.hasPrefix("lock    process 4711 (bulla\\u{7}), STOPPED") })
        #expect(texts(MonitorState(path: "L", now: now), 80, 24).count { $0.hasSuffix("unknown") } >= 5)
        var old = state()
        old.isOld = true
        #expect(texts(old, 80, 24).contains { $0.hasPrefix("tip     last seen: seq 12,345") })
    }

    @Test("cells: wide and marked characters are counted as a terminal draws them, cuts stay within")
    func cells() {
        for (text, width) in [
            ("abc", 3), ("中文", 4), ("e\u{301}", 1), ("🚀", 2), ("🇩🇪", 2), ("👩‍👩‍👧‍👦", 2), ("❤\u{FE0F}", 2), ("ﾊﾝ", 2), ("", 0),
        ] {
            #expect(Cells.width(text) == width, "\(text)")
        }
        #expect(Cells.cut("abcdef", to: 4) == "abc…" && Cells.cut("abcd", to: 4) == "abcd" && Cells.cut("ab", to: 0) == "")
        #expect(Cells.cut("中文字", to: 4) == "中…" && Cells.cut("中文字", to: 5) == "中文…" && Cells.cut("中文", to: 4) == "中文")
        #expect(Cells.wrap("one two three", to: 7) == ["one two", "three"])
        #expect(Cells.wrap("abcdefgh ij", to: 3) == ["abc", "def", "gh", "ij"])
        #expect(Cells.wrap("中文字", to: 4) == ["中文", "字"])
    }
}
