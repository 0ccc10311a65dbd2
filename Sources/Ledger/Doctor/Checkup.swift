import LedgerFormat

/// Judges facts: what a careful administrator would look at, each check with what to do. Nothing is read or asked here.
package enum Checkup {
    package static func findings(_ facts: DoctorFacts) -> [Finding] {
        [
            fileSystem(facts), space(facts), permissions(facts), parents(facts), links(facts), clock(facts), syncs(facts),
            key(facts),
            head(facts), lastAudit(facts), anchor(facts), leftovers(facts), lock(facts),
        ].flatMap { $0 }
    }

    /// The faults, the first few of which are told one by one; or that all is well.
    static func summary(_ faults: [Finding], else ok: Finding) -> [Finding] {
        guard !faults.isEmpty else { return [ok] }
        let told = Array(faults.prefix(toldMax))
        guard faults.count > toldMax else { return told }
        let isProblem = faults[toldMax...].contains { $0.state == .problem }
        let more = "\(faults.count - toldMax) more of the same kind"
        let finding: (String, String, String) -> Finding = { name, found, remedy in
            isProblem ? .problem(name, found, do: remedy) : .advice(name, found, do: remedy)
        }
        return told + [finding(ok.name, more, "mend those above, and look again")]
    }

    private static let toldMax = 5

    /// A path as one word of a shell: whoever names a file must not be able to put a command into a remedy.
    package static func word(_ path: String) -> String {
        let isPlain = path.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"): true
            case UInt8(ascii: "-"): path.utf8.first != byte
            default: false
            }
        }
        if isPlain, !path.isEmpty { return path }
        return "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    package static let dayMicroseconds: Int64 = 86_400_000_000

    /// Whole days from one time to a later one.
    static func days(from earlier: Timestamp, to later: Timestamp) -> Int64 {
        (later.microseconds - earlier.microseconds) / dayMicroseconds
    }
}
