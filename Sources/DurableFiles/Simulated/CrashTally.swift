/// What a simulated power cut did, so that a harness can tell that faults really happened.
package struct CrashTally: Sendable, Equatable {
    package var writesApplied = 0
    /// Some sectors reached the disk, or only the length did.
    package var writesTorn = 0
    package var writesDropped = 0
    package var sectorsMisdirected = 0
    package var truncatesKept = 0
    package var truncatesLost = 0
    package var namesKept = 0
    package var namesDropped = 0

    package init() {}

    /// How many unsynchronised operations did not survive whole.
    package var losses: Int { writesTorn + writesDropped + sectorsMisdirected + truncatesLost + namesDropped }

    package static func += (sum: inout CrashTally, more: CrashTally) {
        sum.writesApplied += more.writesApplied
        sum.writesTorn += more.writesTorn
        sum.writesDropped += more.writesDropped
        sum.sectorsMisdirected += more.sectorsMisdirected
        sum.truncatesKept += more.truncatesKept
        sum.truncatesLost += more.truncatesLost
        sum.namesKept += more.namesKept
        sum.namesDropped += more.namesDropped
    }
}

package struct CrashOptions: Sendable {
    /// Whether a sector may land at another place of the file's unsynchronised region.
    package var misdirects: Bool

    package init(misdirects: Bool = false) { self.misdirects = misdirects }
}
