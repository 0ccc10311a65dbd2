#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

import Dispatch

// The only file of the monitor that hands pointers to the system.

/// A terminal that is drawn on: the other screen, no cursor, keys as they are pressed; what was there before comes back at the end.
struct TerminalScreen: ~Copyable {
    enum Event {
        case time
        case key(UInt8)
        case signal(Int32)
    }

    private let before: termios?
    private let signals: ChildSystem.Pipe
    private var isInputOver = false

    /// These arrive as events, and do nothing else from now on.
    private static let watched = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH]

    init() throws(SystemFailure) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in Self.watched { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signals = try ChildSystem.pipe()
        var settings = termios()
        before = unsafe tcgetattr(STDIN_FILENO, &settings) == 0 ? settings : nil
        let writing = signals.writing.raw
        // Ends with the process.
        DispatchQueue(label: "bulla.signals").async { [set] in
            var set = set
            var signal: Int32 = 0
            while unsafe sigwait(&set, &signal) == 0 {
                let byte = [UInt8(truncatingIfNeeded: signal)]
                _ = try? ChildSystem.write(writing, byte.span)
            }
        }
        enter()
    }

    deinit { leave() }

    private borrowing func enter() {
        if var settings = before {
            settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
            unsafe _ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
        }
        // The other screen, no cursor, and no line that goes on below.
        Output.write(Array("\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l".utf8))
    }

    private borrowing func leave() {
        Output.write(Array("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l".utf8))
        if var settings = before { unsafe _ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) }
    }

    /// Stops as other programs do on control-Z, with the terminal as it was; returns when it is continued.
    func suspend() {
        leave()
        _ = kill(getpid(), SIGSTOP)
        enter()
    }

    /// The next key or signal, or that so much time is over.
    mutating func next(milliseconds: Int32) throws(SystemFailure) -> Event {
        var waits = [
            pollfd(fd: signals.reading.raw, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isInputOver || before == nil ? -1 : STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        ]
        try ChildSystem.wait(&waits, milliseconds: milliseconds)
        var byte: [UInt8] = [0]
        if waits[0].revents != 0, try ChildSystem.read(signals.reading.raw, &byte, limit: 1) == 1 {
            return .signal(Int32(byte[0]))
        }
        if waits[1].revents != 0 {
            if try ChildSystem.read(STDIN_FILENO, &byte, limit: 1) == 1 { return .key(byte[0]) }
            isInputOver = true
        }
        return .time
    }

    /// Columns and lines.
    static var size: (width: Int, height: Int) {
        var size = winsize()
        let result = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        guard result == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Draws over what is there, without a moment in between in which nothing is.
    func draw(_ lines: [MonitorLayout.Line]) {
        var text = "\u{1B}[H"
        for (index, line) in lines.enumerated() {
            if index > 0 { text += "\r\n" }
            let style =
                switch line.style {
                case .plain: ""
                case .title: "\u{1B}[1m"
                case .heading: "\u{1B}[7m"
                case .loud: "\u{1B}[1;37;41m"
                }
            // Erased before and not behind: in the last column that would take what stands there.
            text += "\u{1B}[K" + style + line.text + (style.isEmpty ? "" : "\u{1B}[0m")
        }
        Output.write(Array((text + "\u{1B}[J").utf8))
    }
}
