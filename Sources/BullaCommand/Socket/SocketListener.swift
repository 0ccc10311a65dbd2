import Ledger
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A socket under its name in the file system, which only those may reach who are meant to, from its first moment.
struct SocketListener: ~Copyable {
    let descriptor: ChildDescriptor
    private let path: String
    private let facts: SocketSystem.FileFacts

    /// Made aside and then named. A crash on the way leaves a socket `.bulla-…` that nobody listens at, and no other trace.
    ///
    /// - Parameter group: Who may connect besides the owner, by name or number.
    init(path: String, group: String?) throws(LedgerError) {
        self.path = path
        let aside = Self.aside(path)
        guard max(path.utf8.count, aside.utf8.count) <= SocketSystem.pathByteCountMax else {
            throw LedgerError(
                .usage,
                "the socket's path \(path) is too long: it may have \(SocketSystem.pathByteCountMax) bytes, and its directory 92"
            )
        }
        let number = try group.map { name throws(LedgerError) in
            guard let number = SocketSystem.group(name) else { throw LedgerError(.usage, "there is no group \(name)") }
            return number
        }
        let stale = try Self.stale(path)
        do throws(SystemFailure) {
            let descriptor = try SocketSystem.make(blocking: false)
            try SocketSystem.setMode(ofUnbound: descriptor, 0o600)
            try SocketSystem.bind(descriptor, to: aside)
            do throws(SystemFailure) {
                if let number { try SocketSystem.give(aside, toGroup: number, mode: 0o660) }
                guard let facts = try SocketSystem.facts(of: aside) else { throw SystemFailure(number: ENOENT) }
                try SocketSystem.listen(descriptor)
                if let stale { try Self.clear(path, of: stale, by: aside + "-") }
                // A name that somebody took meanwhile stays his.
                try SocketSystem.link(aside, as: path)
                SocketSystem.remove(aside)
                self.facts = facts
            } catch {
                SocketSystem.remove(aside)
                throw error
            }
            self.descriptor = descriptor
        } catch {
            if error.number == EEXIST { throw Self.taken(path) }
            throw LedgerError(.inputOutput, "cannot make the socket \(path): \(Errno(rawValue: error.number))")
        }
    }

    /// Takes the name away, if it still is this socket's.
    func removeName() {
        if (try? SocketSystem.facts(of: path)) == facts { SocketSystem.remove(path) }
    }

    /// Takes a stale socket away; another one that took its place meanwhile gets its name back, and is EEXIST.
    private static func clear(
        _ path: String, of stale: SocketSystem.FileFacts, by aside: String
    ) throws(SystemFailure) {
        try SocketSystem.rename(path, to: aside)
        defer { SocketSystem.remove(aside) }
        if try SocketSystem.facts(of: aside) != stale {
            try SocketSystem.link(aside, as: path)
            throw SystemFailure(number: EEXIST)
        }
    }

    /// The socket at the path, if nobody listens at it; nil when nothing stands there.
    private static func stale(_ path: String) throws(LedgerError) -> SocketSystem.FileFacts? {
        var found: SocketSystem.FileFacts?
        do throws(SystemFailure) {
            found = try SocketSystem.facts(of: path)
            guard let facts = found else { return nil }
            guard facts.isSocket else { throw SystemFailure(number: ENOTSOCK) }
            let descriptor = try SocketSystem.make(blocking: false)
            try SocketSystem.connect(descriptor, to: path)
        } catch {
            switch error.number {
            case ECONNREFUSED: return found
            case ENOENT: return nil
            // Somebody listens whose queue is full.
            case EAGAIN: break
            case ENOTSOCK:
                throw LedgerError(.refused, "\(path) is no socket and is not replaced; remove it, or name another path")
            default:
                throw LedgerError(
                    .refused,
                    "cannot tell whether anybody listens at \(path): \(Errno(rawValue: error.number)); name another path")
            }
        }
        throw taken(path)
    }

    private static func taken(_ path: String) -> LedgerError {
        LedgerError(.refused, "somebody listens at \(path) already; end that process, or name another path")
    }

    /// A name in the same directory.
    private static func aside(_ path: String) -> String {
        let directory = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        return directory + ".bulla-" + String(UInt32(truncatingIfNeeded: Environment.system.random()), radix: 16)
    }
}
