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
        let (aside, number) = (try Self.aside(path), try Self.number(of: group))
        let stale = try Self.stale(path)
        do throws(SystemFailure) {
            let descriptor = try Self.bound(to: aside, number)
            do throws(SystemFailure) {
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
            throw Self.failure(error, path)
        }
    }

    /// Throws what would keep a socket from being made here now, and leaves nothing.
    static func check(path: String, group: String?) throws(LedgerError) {
        let (aside, number) = (try aside(path), try number(of: group))
        _ = try stale(path)
        do throws(SystemFailure) {
            _ = try bound(to: aside, number)
            SocketSystem.remove(aside)
        } catch {
            throw failure(error, path)
        }
    }

    /// A new socket under a name of its own, which is gone again where this fails.
    private static func bound(to aside: String, _ group: UInt32?) throws(SystemFailure) -> ChildDescriptor {
        let descriptor = try SocketSystem.make(blocking: false)
        try SocketSystem.setMode(ofUnbound: descriptor, 0o600)
        try SocketSystem.bind(descriptor, to: aside)
        do throws(SystemFailure) {
            if let group { try SocketSystem.give(aside, toGroup: group, mode: 0o660) }
        } catch {
            SocketSystem.remove(aside)
            throw error
        }
        return descriptor
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

    private static func failure(_ failure: SystemFailure, _ path: String) -> LedgerError {
        if failure.number == EEXIST { return taken(path) }
        return LedgerError(.inputOutput, "cannot make the socket \(path): \(Errno(rawValue: failure.number)); name another path")
    }

    private static func taken(_ path: String) -> LedgerError {
        LedgerError(.refused, "somebody listens at \(path) already; end that process, or name another path")
    }

    private static func number(of group: String?) throws(LedgerError) -> UInt32? {
        guard let group else { return nil }
        guard let number = SocketSystem.group(group) else { throw LedgerError(.usage, "there is no group \(group)") }
        return number
    }

    /// A name in the same directory.
    private static func aside(_ path: String) throws(LedgerError) -> String {
        let directory = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        let aside = directory + ".bulla-" + String(UInt32(truncatingIfNeeded: Environment.system.random()), radix: 16)
        guard max(path.utf8.count, aside.utf8.count) <= SocketSystem.pathByteCountMax else {
            throw LedgerError(
                .usage,
                "the socket's path \(path) is too long: it may have \(SocketSystem.pathByteCountMax) bytes, and its directory 92"
            )
        }
        return aside
    }
}
