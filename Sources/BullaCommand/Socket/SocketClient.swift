import DurableFiles
import Ledger
import LedgerFormat
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Asks the server at a socket, with a connection for each request: nobody who has nothing to ask takes a place.
struct SocketClient: Sendable {
    let path: String
    /// How long to wait for the server to accept, in microseconds; for its answer, `patienceMicroseconds` longer.
    let waitMicroseconds: Int64

    /// The server itself may wait for the ledger's lock and for the disk.
    private static let patienceMicroseconds: Int64 = 30_000_000

    /// Records decisions in their order; the first that fails ends the answers.
    func record(_ decisions: [[Draft]]) -> [SocketAnswer.Decision] {
        var answers: [SocketAnswer.Decision] = []
        var rest = decisions[...]
        while !rest.isEmpty {
            do throws(LedgerError) {
                let (line, count) = try Self.request(rest)
                let answer = try ask(line)
                answers += answer.decisions
                if case .failure? = answer.decisions.last { return answers }
                guard answer.decisions.count == count else { throw unknown("gave too few answers") }
                rest = rest.dropFirst(count)
            } catch {
                return answers + [.failure(error)]
            }
        }
        return answers
    }

    /// A request with as many decisions from the front as fit into a line.
    private static func request(_ decisions: ArraySlice<[Draft]>) throws(LedgerError) -> (line: [UInt8], count: Int) {
        var line = SocketProtocol.requestStart
        var (count, draftCount) = (0, 0)
        for drafts in decisions {
            let size = drafts.reduce(drafts.count + 2) { $0 + $1.byteCount }
            let isFull =
                line.count + size + SocketProtocol.requestEnd.count > SocketProtocol.lineByteCountMax
                || draftCount + drafts.count > SocketProtocol.draftCountMax
            if isFull, count > 0 { break }
            guard !isFull else {
                throw LedgerError(
                    .usage,
                    "the decision has \(size) bytes; a socket takes \(SocketProtocol.lineByteCountMax) in one request, so it needs --ledger"
                )
            }
            if count > 0 { line.append(UInt8(ascii: ",")) }
            line.append(UInt8(ascii: "["))
            for (index, draft) in drafts.enumerated() {
                if index > 0 { line.append(UInt8(ascii: ",")) }
                draft.append(to: &line)
            }
            line.append(UInt8(ascii: "]"))
            count += 1
            draftCount += drafts.count
        }
        return (line + SocketProtocol.requestEnd + [0x0A], count)
    }

    /// Which ledger the server has, and its last entry.
    func tip() throws(LedgerError) -> Receipt {
        let text = try exchange(SocketProtocol.tipRequest + [0x0A])
        guard let tip = try SocketAnswer.tip(parsing: text.span) else { throw unknown("gave an answer that is none") }
        return tip
    }

    private func ask(_ line: [UInt8]) throws(LedgerError) -> SocketAnswer {
        let text = try exchange(line)
        guard let answer = try SocketAnswer(parsing: text.span) else { throw unknown("gave an answer that is none") }
        return answer
    }

    /// Sends a line and gives the line that answers it.
    private func exchange(_ line: [UInt8]) throws(LedgerError) -> [UInt8] {
        let connection = try connect()
        var failure: SystemFailure?
        var done = 0
        do throws(SystemFailure) {
            while done < line.count {
                let rest = line.span.extracting(done...)
                guard let size = try SocketSystem.send(connection.raw, rest) else { throw SystemFailure(number: ETIMEDOUT) }
                done += size
            }
        } catch {
            // A server that refuses us says so before it hangs up.
            failure = error
        }
        // Half a request is none, so that nothing was recorded; a whole one may have been.
        guard let text = try answerLine(connection, wasSent: done == line.count, failure) else {
            throw done == line.count
                ? unknown("ended before it answered")
                : LedgerError(.inputOutput, "the server at \(path) hung up; nothing was written")
        }
        return text
    }

    private func connect() throws(LedgerError) -> ChildDescriptor {
        guard path.utf8.count <= SocketSystem.pathByteCountMax else {
            throw LedgerError(
                .usage, "the socket's path \(path) is too long: it may have \(SocketSystem.pathByteCountMax) bytes")
        }
        do throws(SystemFailure) {
            let connection = try SocketSystem.make(blocking: true)
            try SocketSystem.limitWaiting(connection, SocketSystem.sending, microseconds: waitMicroseconds)
            try SocketSystem.limitWaiting(
                connection, SocketSystem.receiving, microseconds: waitMicroseconds + Self.patienceMicroseconds)
            try SocketSystem.connect(connection, to: path)
            return connection
        } catch {
            switch error.number {
            case EAGAIN:
                throw LedgerError(
                    .busy,
                    "the server at \(path) did not take our connection in \(Format.seconds(waitMicroseconds)); nothing was written"
                )
            case ENOENT, ECONNREFUSED:
                throw LedgerError(
                    .inputOutput,
                    "nobody listens at \(path); nothing was written: start `bulla run --socket \(path)`, or name the right path")
            default:
                throw LedgerError(
                    .inputOutput, "cannot connect to \(path): \(Errno(rawValue: error.number)); nothing was written")
            }
        }
    }

    /// Nil when the server hung up without one.
    private func answerLine(
        _ connection: borrowing ChildDescriptor, wasSent: Bool, _ failure: SystemFailure?
    ) throws(LedgerError) -> [UInt8]? {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let size: Int?
            do throws(SystemFailure) {
                size = try ChildSystem.read(connection.raw, &buffer, limit: buffer.count)
            } catch {
                return nil
            }
            guard let size else {
                guard wasSent else {
                    throw LedgerError(.busy, "the server at \(path) does not read what we send; nothing was written")
                }
                throw unknown("did not answer in \(Format.seconds(waitMicroseconds + Self.patienceMicroseconds))")
            }
            if size == 0 { return nil }
            text += buffer[..<size]
            if text.last == 0x0A { return text.dropLast() }
            guard text.count <= SocketProtocol.answerByteCountMax else { throw unknown("gave an answer without an end") }
        }
    }

    private func unknown(_ what: String) -> LedgerError {
        LedgerError(.inputOutput, "the server at \(path) \(what): the outcome is unknown; repeat with the same id")
    }
}
