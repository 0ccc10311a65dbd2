import CanonicalJSON

/// The process that a holder says it is.
///
/// A number alone says nothing: it may have been that of a helper, and it is given out again. Only with the time at which the
/// process started, and where such times and numbers are counted, can anybody tell later whether it lives.
package struct HolderProcess: Sendable, Equatable {
    package var pid: Int32
    package var start: Start?

    package struct Start: Sendable, Equatable {
        /// In ticks since the boot, as the kernel has it.
        package var ticks: UInt64
        /// In which boot and which space of process numbers.
        package var space: String

        package init(ticks: UInt64, space: String) {
            self.ticks = ticks
            self.space = space
        }
    }

    package init(pid: Int32, start: Start?) {
        self.pid = pid
        self.start = start
    }

    init?(_ json: JSON) {
        guard let pid = json["pid"]?.integer.flatMap({ Int32(exactly: $0) }) else { return nil }
        self.pid = pid
        if let ticks = json["proc_starttime"]?.integer.flatMap({ UInt64(exactly: $0) }), let space = json["proc_space"]?.string {
            start = Start(ticks: ticks, space: space)
        }
    }
}

/// What somebody saw of a process. That one is gone stays true, so it may be looked at before a decision.
package struct ProcessSighting: Sendable, Equatable {
    package var pid: Int32
    /// In which boot and which space of process numbers it was looked for.
    package var space: String
    /// When the process with this number started; nil if there is none.
    package var ticks: UInt64?

    package init(pid: Int32, space: String, ticks: UInt64?) {
        self.pid = pid
        self.space = space
        self.ticks = ticks
    }

    /// Whether the holder's process lives; nil if nobody can know: another machine, another boot, or no recorded start.
    package func isAlive(_ process: HolderProcess?) -> Bool? {
        guard let process, let start = process.start, process.pid == pid, !space.isEmpty, start.space == space else { return nil }
        return ticks == start.ticks
    }
}
