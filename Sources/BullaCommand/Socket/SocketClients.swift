import Ledger
import LedgerFormat

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Everybody who is connected; a value of the server's thread.
struct SocketClients {
    private struct Client {
        let descriptor: Int32
        var connection: SocketConnection
        /// What the system said of it last.
        var canRead = false
        var canWrite = false
    }

    static let countMax = 256
    /// When all places are taken, who has been quiet for so long makes room, in microseconds.
    private static let quietMicroseconds: Int64 = 1_000_000
    /// After the stop, how long answers may wait to be taken.
    private static let farewellMicroseconds: Int64 = 2_000_000
    private static let acceptPauseMicroseconds: Int64 = 100_000

    private var clients: [UInt64: Client] = [:]
    /// The clients in the order of the last waiting.
    private var order: [UInt64] = []
    private var count: UInt64 = 0
    private var now = Environment.system.uptime()
    private var farewell: Int64?
    /// The system has no descriptor for a newcomer; to ask again at once would be a busy loop.
    private var acceptAgainAt: Int64 = 0
    private var buffer = [UInt8](repeating: 0, count: SocketConnection.readByteCount)

    var canAccept: Bool { Environment.system.uptime() >= acceptAgainAt }

    /// Whether nobody is owed anything, or has not taken it for too long.
    var areDone: Bool {
        clients.isEmpty || farewell.map { now >= $0 } ?? false && !clients.values.contains { $0.connection.isAsking }
    }

    /// -1 while there is nothing to look after.
    var waitMilliseconds: Int32 { farewell != nil || !canAccept ? 50 : -1 }

    mutating func addWaits(to waits: inout [pollfd]) {
        order = clients.keys.sorted()
        for id in order {
            guard let client = clients[id] else { continue }
            let events = (client.connection.wantsInput ? POLLIN : 0) | (client.connection.hasOutput ? POLLOUT : 0)
            // Who hung up is not reported again and again while his request is under way.
            waits.append(pollfd(fd: events == 0 ? -1 : client.descriptor, events: Int16(events), revents: 0))
        }
    }

    /// Takes in what waiting has found, in the order of `addWaits`.
    mutating func note(_ waits: ArraySlice<pollfd>, at time: Int64) {
        now = time
        for (id, wait) in zip(order, waits) where wait.revents != 0 {
            let hasLeft = wait.revents & Int16(POLLHUP | POLLERR) != 0
            clients[id]?.canRead = wait.revents & Int16(POLLIN) != 0 || hasLeft
            clients[id]?.canWrite = wait.revents & Int16(POLLOUT) != 0 || hasLeft
        }
    }

    mutating func accept(from listener: Int32) {
        guard canAccept else { return }
        do throws(SystemFailure) {
            while let descriptor = try SocketSystem.accept(listener) {
                guard clients.count < Self.countMax || makeRoom() else {
                    let full = LedgerError(
                        .busy, "the server has \(Self.countMax) connections already; nothing was written, try again later")
                    let line = SocketAnswer.line(full)
                    _ = try? SocketSystem.send(descriptor.raw, line.span)
                    continue
                }
                let peer = try SocketSystem.peer(of: descriptor.raw)
                count += 1
                clients[count] = Client(descriptor: descriptor.take(), connection: SocketConnection(peer, now: now))
            }
        } catch {
            _ = makeRoom()
            acceptAgainAt = now + Self.acceptPauseMicroseconds
        }
    }

    /// Closes the connection that has been quiet for longest, if it was for long enough.
    private mutating func makeRoom() -> Bool {
        let quiet = clients.filter {
            !$0.value.connection.isAsking && now - $0.value.connection.quietSince >= Self.quietMicroseconds
        }
        guard let quietest = quiet.min(by: { $0.value.connection.quietSince < $1.value.connection.quietSince }) else {
            return false
        }
        remove(quietest.key)
        return true
    }

    mutating func answer(_ id: UInt64, _ line: [UInt8]) {
        clients[id]?.connection.answer(line, now: now)
        clients[id]?.canWrite = true
    }

    /// Reads and writes what can be, and gives the requests that are complete.
    mutating func advance() -> [(connection: UInt64, line: [UInt8], peer: Peer)] {
        var requests: [(connection: UInt64, line: [UInt8], peer: Peer)] = []
        for id in clients.keys.sorted() {
            guard var client = clients.removeValue(forKey: id) else { continue }
            do throws(SystemFailure) {
                try write(&client)
                try read(&client)
                switch client.connection.next() {
                case .line(let line): requests.append((id, line, client.connection.peer))
                case .nothing: break
                case .tooLong:
                    let error = LedgerError(
                        .usage, "the request has more than \(SocketProtocol.lineByteCountMax) bytes; send it in several")
                    client.connection.answer(SocketAnswer.line(error), now: now)
                    client.connection.end()
                    try write(&client)
                }
            } catch {
                // It has left; what was asked is done all the same.
                _ = close(client.descriptor)
                continue
            }
            if client.connection.isOver { _ = close(client.descriptor) } else { clients[id] = client }
        }
        return requests
    }

    private mutating func read(_ client: inout Client) throws(SystemFailure) {
        guard client.canRead, client.connection.wantsInput else { return }
        client.canRead = false
        guard let size = try ChildSystem.read(client.descriptor, &buffer, limit: buffer.count) else { return }
        client.connection.receive(buffer[..<size])
    }

    private func write(_ client: inout Client) throws(SystemFailure) {
        while client.canWrite || client.connection.isEnding, client.connection.hasOutput {
            let pending = Array(client.connection.pending)
            guard let size = try SocketSystem.send(client.descriptor, pending.span) else { break }
            client.connection.sent(size, now: now)
        }
        client.canWrite = false
    }

    /// Nobody is listened to any more; who is owed an answer may take it.
    mutating func endAll() {
        farewell = now + Self.farewellMicroseconds
        for id in clients.keys { clients[id]?.connection.end() }
    }

    mutating func closeAll() {
        for id in Array(clients.keys) { remove(id) }
    }

    private mutating func remove(_ id: UInt64) {
        if let client = clients.removeValue(forKey: id) { _ = close(client.descriptor) }
    }
}
