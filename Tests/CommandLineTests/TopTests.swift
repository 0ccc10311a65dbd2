import CanonicalJSON
import Foundation
import LedgerFormat
import TestSupport
import Testing

@Suite("Watching a ledger with top") struct TopTests {
    /// Runs `bulla top` on a pseudo-terminal, where `steps` decide what happens; prints what it drew, with its exit code last.
    ///
    /// The steps' words: `draw(n)` waits for n more screens, `see(text)` for a screen with this text.
    func onTerminal(
        _ ledger: CommandLedger, verb: [String] = ["top"], interval: Double = 0.1, _ steps: String
    ) throws -> Program.Result {
        let script = """
            import os, pty, sys, select, struct, fcntl, termios, signal
            bulla, path = sys.argv[1:3]
            os.environ.pop('BULLA_DIR', None)
            pid, fd = pty.fork()
            if pid == 0:
                # Its first look finds the size already.
                fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
                os.execv(bulla, [bulla] + sys.argv[3:] + ['--ledger', path, '--interval', '\(interval)'])
            out = b''
            def more():
                global out
                assert select.select([fd], [], [], 30)[0], 'nothing comes any more'
                try: data = os.read(fd, 65536)
                except OSError: data = b''
                out += data
                return data
            def screens(): return out.split(b'\\x1b[H')[1:]
            def see(text):
                begin = len(screens())
                while not any(text.encode() in s for s in screens()[max(0, begin - 1):]): assert more(), out
            def draw(n):
                wanted = len(screens()) + n
                while len(screens()) < wanted: assert more(), out
            def key(text): os.write(fd, text.encode())
            def resize(w, h):
                fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', h, w, 0, 0))
            before = termios.tcgetattr(fd)
            \(steps)
            while more(): pass
            sys.stdout.buffer.write(out)
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            print('\\nEXIT', code)
            """
        return try Program.python(script, [Program.bullaPath, ledger.path] + verb).run()
    }

    private static let enters = "\u{1B}[?1049h"
    private static let leaves = "\u{1B}[?25h\u{1B}[?1049l"

    @Test(
        "q and control-C end it with 0, SIGTERM with 143; the terminal is as it was",
        arguments: [
            ("key('q')", 0), ("key('\\x03')", 0), ("os.kill(pid, signal.SIGTERM)", 143), ("os.kill(pid, signal.SIGHUP)", 129),
        ])
    func ends(step: String, code: Int) throws {
        let ledger = try CommandLedger(entries: 3)
        // The settings are compared before the terminal hangs up: the program waits to be reaped.
        let result = try onTerminal(
            ledger,
            """
            see('log.line'); draw(2)
            assert termios.tcgetattr(fd)[3] & termios.ECHO == 0
            \(step)
            while not out.endswith(b'\\x1b[?1049l'): assert more(), out
            """)
        #expect(result.code == 0, "\(result.error)")
        let parts = result.output.components(separatedBy: Self.leaves)
        #expect(parts.count == 2 && parts[0].hasPrefix(Self.enters))
        #expect(parts.last?.trimmingCharacters(in: .whitespacesAndNewlines) == "EXIT \(code)", "\(parts.last ?? "")")
    }

    @Test("echo and line editing are back at the end")
    func settings() throws {
        let ledger = try CommandLedger(entries: 1)
        let script = """
            import os, pty, sys, termios, subprocess, select
            main, side = pty.openpty()
            before = termios.tcgetattr(side)
            p = subprocess.Popen([sys.argv[1], 'top', '--ledger', sys.argv[2]], stdin=side, stdout=side)
            out = b''
            while b'its end is in order' not in out:
                assert select.select([main], [], [], 30)[0]
                out += os.read(main, 65536)
            during = termios.tcgetattr(side)
            os.write(main, b'q')
            assert p.wait(30) == 0
            assert during != before and termios.tcgetattr(side) == before, (before, during)
            """
        let result = try Program.python(script, Program.bullaPath, ledger.path).run()
        #expect(result.code == 0, "\(result.error)")
    }

    @Test("a new size is drawn at once, not at the next look")
    func resized() throws {
        let result = try onTerminal(
            try CommandLedger(entries: 60), interval: 3600,
            """
            see('reason' + ' ' * 10)
            resize(120, 40); see('reason' + ' ' * 25)
            resize(40, 10); see('actor   action  reason')
            key('q')
            """)
        #expect(result.code == 0 && result.output.hasSuffix("EXIT 0\n"), "\(result.error)")
    }

    @Test("new entries, a rate and who has the lock are seen")
    func lives() throws {
        let ledger = try CommandLedger(entries: 3)
        let result = try onTerminal(
            ledger,
            """
            see('entries/s')
            import subprocess
            subprocess.run([bulla, 'append', '--ledger', path, '--actor', 'user:new', '--action', 'c.d', '--pillar', 'integrity',
                '--reason', 'r', '--body', '{}'], check=True, stdout=subprocess.DEVNULL)
            see('user:new')
            lock = os.open(path, os.O_RDONLY); fcntl.flock(lock, fcntl.LOCK_EX)
            see('process %d (' % os.getpid())
            key('q')
            """)
        #expect(result.code == 0 && result.output.hasSuffix("EXIT 0\n"), "\(result.error)")
    }

    @Test("damage and an alert that come while it runs are shown, and it goes on")
    func damage() throws {
        let ledger = try CommandLedger(entries: 30)
        let result = try onTerminal(
            ledger,
            """
            see('its end is in order')
            segment = path + '/\(CommandLedger.firstSegment)'
            whole = open(segment, 'rb').read()
            at = whole.rindex(b'log.line')
            with open(segment, 'r+b') as f: f.seek(at); f.write(b'log.lies')
            see('TAMPERED: segment 00000000000000000001.frames')
            with open(segment, 'r+b') as f: f.seek(at); f.write(b'log.line')
            see('its end is in order')
            os.rename(path, path + '.away'); see('there is no ledger at'); os.rename(path + '.away', path)
            see('its end is in order')
            # Who meets damage raises the alert; that the bytes are put back does not take it away.
            with open(segment, 'r+b') as f: f.seek(at); f.write(b'log.lies')
            import subprocess
            appended = subprocess.run([bulla, 'append', '--ledger', path, '--actor', 'a:b', '--action', 'c.d', '--pillar', 'integrity',
                '--reason', 'r', '--body', '{}'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            assert appended.returncode == 10
            see('ALERT RAISED: nothing is written until it is released; TAMPERED')
            with open(segment, 'r+b') as f: f.seek(at); f.write(b'log.line')
            see('ALERT RAISED: nothing is written until it is released  ')
            key('q')
            """)
        #expect(result.code == 0 && result.output.hasSuffix("EXIT 0\n"), "\(result.error)")
    }

    @Test("piped it is one plain table, with --json one object; nothing is written and nothing waited for")
    func piped() throws {
        let ledger = try CommandLedger(entries: 25)
        let before = try ledger.contents()
        let table = try ledger.run("top")
        #expect(table.code == 0 && !table.output.contains("\u{1B}"), "\(table.error)")
        #expect(table.output.contains("tip     seq 26, ") && table.output.contains("lock    free\n"))
        #expect(table.output.split(separator: "\n").count { $0.contains("log.line") } == 10)
        let json = try JSON(parsing: Array(try ledger.run("top", "--json").output.utf8))
        #expect(json["tip"]?["seq"] == 26 && json["entries"]?.array?.count == 10 && json["trouble"] == .null)
        #expect(json["entries"]?[9]?["seq"] == 26 && json["alert"] == false && json["key_present"] == true)
        #expect(table.output.contains("\nalert   none\n") && table.output.contains(" entries/s\n"), "\(table.output)")
        // From the oldest entry listed until now: that one stands in the answer, and so does the time.
        let (rows, rate) = (try #require(json["entries"]?.array), try #require(json["rate"]?.number))
        let first = try #require(rows.first?["time"]?.string.flatMap { Timestamp($0) })
        let now = try #require(json["time"]?.string.flatMap { Timestamp($0) })
        let expected = Double(rows.count - 1) * 1_000_000 / Double(now.microseconds - first.microseconds)
        #expect(abs(rate - expected) <= expected / 1000, "\(rate), \(expected)")
        #expect(try ledger.contents() == before)
    }

    @Test("what cannot be told is - and null: the rate of one entry, the alert of a HEAD that is damaged; a raised one is said")
    func unknown() throws {
        let young = try CommandLedger()
        #expect(try young.run("top").output.contains("\nrate    -\n"))
        #expect(try JSON(parsing: Array(try young.run("top", "--json").output.utf8))["rate"] == .null)
        let ledger = try CommandLedger(entries: 3)
        try ledger.directory.remove(ledger.name("HEAD"))
        #expect(try ledger.run("top").output.contains("\nalert   -\n"))
        #expect(try JSON(parsing: Array(try ledger.run("top", "--json").output.utf8))["alert"] == .null)
        #expect(try ledger.append().code == 10)
        #expect(try ledger.run("top").output.contains("\nalert   RAISED\n"))
        #expect(try JSON(parsing: Array(try ledger.run("top", "--json").output.utf8))["alert"] == true)
    }

    @Test("piped, the code is that of what is wrong; without a ledger it is usage")
    func codes() throws {
        let ledger = try CommandLedger(entries: 3)
        var bytes = try ledger.read(CommandLedger.firstSegment)
        bytes[try #require(bytes.lastIndex(of: UInt8(ascii: "3"))) - 400] ^= 1
        try ledger.overwrite(CommandLedger.firstSegment, bytes)
        let damaged = try ledger.run("top")
        #expect(damaged.code == 10 && damaged.output.contains("TAMPERED: "), "\(damaged.output)")
        #expect(try JSON(parsing: Array(try ledger.run("top", "--json").output.utf8))["trouble"]?["code"] == 10)
        #expect(try Program.watched("top", "--ledger", ledger.directory.path("none")).run().code == 64)
        #expect(try ledger.run("top", "--interval", "0").code == 64)
    }
}
