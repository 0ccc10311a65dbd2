package import DurableFiles

/// Times what every append waits for: a small write and a sync, in a file of its own beside the ledger's.
///
///     openat(O_CREAT|O_EXCL) | pwrite fdatasync, several times | unlinkat
///
/// A crash leaves `doctor.tmp`, which nobody reads and the next doctor names.
package enum SyncTiming {
    package static let path = StoragePath("doctor.tmp")

    /// - Parameter count: how many; 0 for none.
    package static func run(_ storage: any Storage, _ environment: Environment, count: Int) -> DoctorFacts.Syncs {
        guard count > 0 else { return .skipped("not asked for") }
        guard storage.user == storage.owner else { return .skipped("only the owner of the ledger writes there") }
        do throws(StorageError) {
            let file = try storage.open(path, .create)
            let times: Result<[Int64], StorageError>
            do throws(StorageError) { times = .success(try time(file, environment, count: count)) } catch {
                times = .failure(error)
            }
            try storage.remove(path)
            return .median(microseconds: try times.get().sorted()[count / 2], count: count)
        } catch {
            return error.isExisting ? .skipped("doctor.tmp is there already") : .failed(error.description)
        }
    }

    private static func time(
        _ file: any StorageFile, _ environment: Environment, count: Int
    ) throws(StorageError) -> [Int64] {
        let block = [UInt8](repeating: 0x2E, count: 512)
        var times: [Int64] = []
        for index in 0..<count {
            let start = environment.uptime()
            try file.write(block.span, at: index * block.count)
            try file.synchronize()
            times.append(environment.uptime() - start)
        }
        return times
    }
}
