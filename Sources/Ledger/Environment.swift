package import LedgerFormat

/// What a ledger takes from outside: the clock, randomness, and how to wait. Handed in, so that a simulation can hand in its own.
package struct Environment: Sendable {
    /// The wall clock, in UTC.
    package var now: @Sendable () -> Timestamp
    /// A clock that never steps back, in microseconds.
    package var uptime: @Sendable () -> Int64
    /// The clock of this boot, which goes on while the machine sleeps.
    package var bootTime: @Sendable () -> BootTime
    /// 64 unpredictable bits: keys are made of them.
    package var random: @Sendable () -> UInt64
    /// Waits for about so many microseconds.
    package var pause: @Sendable (Int64) -> Void

    package init(
        now: @escaping @Sendable () -> Timestamp, uptime: @escaping @Sendable () -> Int64,
        bootTime: @escaping @Sendable () -> BootTime, random: @escaping @Sendable () -> UInt64,
        pause: @escaping @Sendable (Int64) -> Void
    ) {
        self.now = now
        self.uptime = uptime
        self.bootTime = bootTime
        self.random = random
        self.pause = pause
    }
}

/// A moment on the clock that begins anew at each boot and never steps: comparable only within one boot.
package struct BootTime: Sendable, Equatable {
    /// Which boot of which machine; empty where the system does not say, and then it is like no other.
    package var boot: String
    package var microseconds: Int64

    package init(boot: String, microseconds: Int64) {
        self.boot = boot
        self.microseconds = microseconds
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
