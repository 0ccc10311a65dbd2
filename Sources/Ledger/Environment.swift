package import LedgerFormat

/// What a ledger takes from outside: the clock, randomness, and how to wait. Handed in, so that a simulation can hand in its own.
package struct Environment: Sendable {
    /// The wall clock, in UTC.
    package var now: @Sendable () -> Timestamp
    /// A clock that never steps back, in microseconds.
    package var uptime: @Sendable () -> Int64
    /// 64 unpredictable bits: keys are made of them.
    package var random: @Sendable () -> UInt64
    /// Waits for about so many microseconds.
    package var pause: @Sendable (Int64) -> Void

    package init(
        now: @escaping @Sendable () -> Timestamp, uptime: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable () -> UInt64, pause: @escaping @Sendable (Int64) -> Void
    ) {
        self.now = now
        self.uptime = uptime
        self.random = random
        self.pause = pause
    }
}

extension Environment {
    /// A fresh key, of as much randomness as it is long.
    func makeSealingKey() -> SealingKey {
        var bytes: [UInt8] = []
        for _ in 0..<SealingKey.byteCount / 8 {
            let word = random()
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
        }
        return SealingKey(bytes: bytes)
    }
}
