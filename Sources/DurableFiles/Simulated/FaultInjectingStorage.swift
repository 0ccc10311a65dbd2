import SystemPackage

/// A storage that works as the one it wraps until its plan says otherwise, and that writes down what it was asked for.
package final class FaultInjectingStorage: Storage {
    package let wrapped: any Storage
    private let clock: FaultClock

    package init(_ wrapped: any Storage, _ plan: FaultPlan = .none) {
        self.wrapped = wrapped
        clock = FaultClock(plan)
    }

    private init(_ wrapped: any Storage, _ clock: FaultClock) {
        self.wrapped = wrapped
        self.clock = clock
    }

    /// All operations up to a crash, in order; their indices are the numbers of a plan.
    package var trace: [FaultOperation] { clock.trace }
    /// The faults that happened, in order.
    package var fired: [FiredFault] { clock.fired }
    package var isCrashed: Bool { clock.isCrashed }
    /// The numbers of an `at` plan whose fault has not happened.
    package var unfired: [Int] {
        guard case .at(let faults) = clock.plan else { return [] }
        return Set(faults.keys).subtracting(fired.map(\.number)).sorted()
    }

    /// Changes what will go wrong from now on; the count goes on.
    package func setPlan(_ plan: FaultPlan) { clock.setPlan(plan) }

    /// Stops the process between two operations, or in the midst of one that a rule watches: its locks are free.
    package func crash() {
        clock.crash()
        wrapped.unlock(.writer)
        wrapped.unlock(.gate)
    }

    package var basePath: String { wrapped.basePath }
    package var owner: UInt32 { wrapped.owner }
    package var user: UInt32 { wrapped.user }
}

// The protocol, each operation under the plan
extension FaultInjectingStorage {
    package func open(_ path: StoragePath, _ access: FileAccess) throws(StorageError) -> any StorageFile {
        try run(access == .create ? .create : .open, path, "open") { () throws(StorageError) in
            FaultInjectingFile(try wrapped.open(path, access), self)
        }
    }

    package func status(of path: StoragePath) throws(StorageError) -> FileStatus? {
        try run(.status, path, "look at") { () throws(StorageError) in try wrapped.status(of: path) }
    }

    package func names(in directory: StoragePath) throws(StorageError) -> [String] {
        try run(.names, directory, "list") { () throws(StorageError) in try wrapped.names(in: directory) }
    }

    package func makeDirectory(_ path: StoragePath) throws(StorageError) {
        try run(.makeDirectory, path, "make") { () throws(StorageError) in try wrapped.makeDirectory(path) }
    }

    package func rename(_ path: StoragePath, to target: StoragePath) throws(StorageError) {
        try run(.rename, path, "rename") { () throws(StorageError) in try wrapped.rename(path, to: target) }
    }

    package func exchange(_ one: StoragePath, with other: StoragePath) throws(StorageError) {
        try run(.exchange, one, "exchange") { () throws(StorageError) in try wrapped.exchange(one, with: other) }
    }

    package func remove(_ path: StoragePath) throws(StorageError) {
        try run(.remove, path, "remove") { () throws(StorageError) in try wrapped.remove(path) }
    }

    package func synchronize(directory: StoragePath?) throws(StorageError) {
        try run(.synchronizeDirectory, directory, "synchronize") { () throws(StorageError) in
            try wrapped.synchronize(directory: directory)
        }
    }

    package func publish() throws(StorageError) {
        try run(.publish, nil, "make") { () throws(StorageError) in try wrapped.publish() }
    }

    /// Under the same plan; the opening itself is no operation of it.
    package func reopened() throws(StorageError) -> any Storage { FaultInjectingStorage(try wrapped.reopened(), clock) }

    package func checkBase() throws(StorageError) {
        try run(.checkBase, nil, "check") { () throws(StorageError) in try wrapped.checkBase() }
    }

    package func tryLock(_ lock: StorageLock) throws(StorageError) -> Bool {
        try run(.lock, lock == .gate ? Layout.keys : nil, "lock") { () throws(StorageError) in try wrapped.tryLock(lock)
        }
    }

    package func unlock(_ lock: StorageLock) { if !isCrashed { wrapped.unlock(lock) } }

    package func gateIsTaken() throws(StorageError) -> Bool {
        try run(.testGate, Layout.keys, "lock") { () throws(StorageError) in try wrapped.gateIsTaken() }
    }

    package func holder(of lock: StorageLock) -> LockHolder? { isCrashed ? nil : wrapped.holder(of: lock) }
}

extension FaultInjectingStorage {
    private func shown(_ path: StoragePath?) -> String { path.map { "\(basePath)/\($0)" } ?? basePath }

    /// - Parameters:
    ///   - losing: what a lying failure does beforehand.
    ///   - partially: does the first bytes of a write; false for any other operation.
    func run<Result>(
        _ kind: FaultOperation.Kind, _ path: StoragePath?, _ name: String, losing: () -> Void = {},
        partially: (Int) throws(StorageError) -> Bool = { _ in false }, _ body: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        switch clock.tick(FaultOperation(kind: kind, path: path)) {
        case .proceed: return try body()
        case .stopped: throw StorageError(.crashed, name, shown(path))
        case .fault(let fault):
            switch fault {
            case .fail(let errno): throw StorageError(.system(errno), name, shown(path))
            case .shortWrite(let bytes, let errno):
                _ = try partially(bytes)
                throw StorageError(.system(errno), name, shown(path))
            case .failSynchronize:
                losing()
                throw StorageError(.system(.ioError), name, shown(path))
            case .crash(let progress):
                // Whether the system would have refused the rest, nobody is left to hear.
                switch progress {
                case .nothing: break
                case .bytes(let bytes): if (try? partially(bytes)) == false, bytes > 0 { _ = try? body() }
                case .everything: _ = try? body()
                }
                crash()
                throw StorageError(.crashed, name, shown(path))
            }
        }
    }
}
