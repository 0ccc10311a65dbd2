import Lanes
import Ledger
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The lock that the reference's own verbs take: a file beside the journal that only one can make.
struct JournalLock {
    private let path: String

    private static let pauseMicroseconds: Int64 = 20_000

    /// - Parameter waiting: for how long, in microseconds.
    init(beside file: JournalFile, waiting: Int64, _ environment: Environment) throws(LedgerError) {
        path = LogFile.parts(of: file.path).folder + "/.lane-lease.lock"
        let text = "owner: bulla\nacquired_at: \(environment.now().wholeSeconds)\npid: \(getpid())\n"
        var waited: Int64 = 0
        while try !make(text) {
            guard waited < waiting else { throw busy() }
            environment.pause(Self.pauseMicroseconds)
            waited += Self.pauseMicroseconds
        }
    }

    func release() { _ = unsafe unlink(path) }

    /// False when there is one.
    private func make(_ text: String) throws(LedgerError) -> Bool {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            if errno == EEXIST { return false }
            if errno == ENOENT {
                throw LedgerError(.usage, "there is no folder for the journal's lock \(path); name a journal with --file")
            }
            throw LedgerError(.inputOutput, "cannot make the journal's lock \(path): \(Errno(rawValue: errno))")
        }
        // What stands in it is for people; the lock is that it is there.
        _ = unsafe Array(text.utf8).withUnsafeBytes { buffer in unsafe write(file, buffer.baseAddress, buffer.count) }
        close(file)
        return true
    }

    private func busy() -> LedgerError {
        let holder = (try? InputFile(path).all(upTo: 4096)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let told = holder.split(separator: "\n").joined(separator: ", ")
        return LedgerError(
            .busy, "the journal's lock \(path) is taken (\(told)); nothing was written; if that process is gone, remove the file")
    }
}
