import DurableFiles
import Ledger
import LedgerFormat

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The server's thread, and what others say to it.
final class SocketLoop: Sendable {
    private struct Mailbox: Sendable {
        var answers: [(connection: UInt64, line: [UInt8])] = []
        var isStopping = false
        var isOver = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let listener: SocketListener
    private let committer: GroupCommitter
    private let mailbox = StateLock(Mailbox())
    /// A byte in it wakes the thread.
    private let wakening: ChildSystem.Pipe

    init(_ listener: consuming SocketListener, _ committer: GroupCommitter) throws(LedgerError) {
        do throws(SystemFailure) {
            wakening = try ChildSystem.pipe()
        } catch {
            listener.removeName()
            throw LedgerError(.inputOutput, "cannot serve the socket: no pipe is to be had (errno \(error.number))")
        }
        self.listener = listener
        self.committer = committer
    }

    func stop() async {
        await withCheckedContinuation { waiter in
            let isOver = mailbox.withLock { mailbox in
                mailbox.isStopping = true
                if !mailbox.isOver { mailbox.waiter = waiter }
                return mailbox.isOver
            }
            if isOver { waiter.resume() } else { wake() }
        }
    }

    private func wake() {
        let byte: [UInt8] = [0]
        _ = try? ChildSystem.write(wakening.writing.raw, byte.span)
    }

    /// Runs until it is stopped.
    func run() {
        var clients = SocketClients()
        var isListening = true
        while true {
            wait(&clients, isListening)
            let (answers, isStopping) = mailbox.withLock { mailbox in
                defer { mailbox.answers = [] }
                return (mailbox.answers, mailbox.isStopping)
            }
            for (connection, line) in answers { clients.answer(connection, line) }
            if isStopping, isListening {
                isListening = false
                listener.removeName()
                clients.endAll()
            }
            if isListening { clients.accept(from: listener.descriptor.raw) }
            for (connection, line, peer) in clients.advance() { serve(connection, line, peer) }
            if !isListening, clients.areDone { break }
        }
        clients.closeAll()
        let waiter = mailbox.withLock { mailbox in
            mailbox.isOver = true
            return mailbox.waiter
        }
        waiter?.resume()
    }

    /// Until a descriptor is ready or an answer is there.
    private func wait(_ clients: inout SocketClients, _ isListening: Bool) {
        LockConstitution.holdsNothing("waiting for clients")
        var waits = [pollfd(fd: wakening.reading.raw, events: Int16(POLLIN), revents: 0)]
        let accepts = isListening && clients.canAccept
        waits.append(pollfd(fd: accepts ? listener.descriptor.raw : -1, events: Int16(POLLIN), revents: 0))
        clients.addWaits(to: &waits)
        // What fails here (no memory) may be better the next time; it is not hurried.
        do throws(SystemFailure) {
            try ChildSystem.wait(&waits, milliseconds: clients.waitMilliseconds)
        } catch {
            Environment.system.pause(10_000)
        }
        if waits[0].revents != 0 {
            var bytes = [UInt8](repeating: 0, count: 1024)
            _ = try? ChildSystem.read(wakening.reading.raw, &bytes, limit: bytes.count)
        }
        clients.note(waits[2...], at: Environment.system.uptime())
    }

    private func serve(_ connection: UInt64, _ line: [UInt8], _ peer: Peer) {
        Task {
            let answer = await self.answer(line, peer)
            self.mailbox.withLock { $0.answers.append((connection, answer)) }
            self.wake()
        }
    }

    private func answer(_ line: [UInt8], _ peer: Peer) async -> [UInt8] {
        do throws(LedgerError) {
            if line == SocketProtocol.tipRequest {
                return SocketAnswer.line(
                    tip: try await committer.withSession { (session) throws(LedgerError) in try session.tipReceipt() })
            }
            let request = try SocketRequest(line.span, from: peer)
            var answers: [SocketAnswer.Decision] = []
            if !request.decisions.isEmpty { answers = await committer.append(inOrder: request.decisions) }
            if let failure = request.failure { answers.append(.failure(failure)) }
            return SocketAnswer(answers).line
        } catch {
            return SocketAnswer.line(error)
        }
    }
}
