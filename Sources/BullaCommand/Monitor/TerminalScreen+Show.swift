import DurableFiles
import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension TerminalScreen {
    /// Looks and draws, again and again, until somebody wants it to end; gives the signal, if it was one.
    ///
    /// - Parameters:
    ///   - interval: from one look to the next, in seconds; between two looks a new size or a key draws the same anew.
    ///   - look: is told how many lines there are.
    static func show<State>(
        interval: Double, look: (_ height: Int) -> State, lines: (State, (width: Int, height: Int)) -> [MonitorLayout.Line]
    ) throws -> Int32? {
        let step = Int64(interval * 1_000_000)
        var screen = try TerminalScreen()
        var state = look(size.height)
        var next = Environment.system.uptime() + step
        while true {
            let size = size
            LockConstitution.holdsNothing()
            screen.draw(lines(state, size))
            switch try screen.next(milliseconds: Int32(max(0, next - Environment.system.uptime()) / 1000 + 1)) {
            case .key(UInt8(ascii: "q")), .key(UInt8(ascii: "Q")): return nil
            case .key, .signal(SIGWINCH): continue
            case .signal(SIGTSTP): screen.suspend()
            case .signal(let signal): return signal
            case .time:
                if Environment.system.uptime() < next { continue }
                state = look(size.height)
                next = Environment.system.uptime() + step
            }
        }
    }
}
