/// An open file of a `FaultInjectingStorage`.
final class FaultInjectingFile: StorageFile {
    private let wrapped: any StorageFile
    private let storage: FaultInjectingStorage

    init(_ wrapped: any StorageFile, _ storage: FaultInjectingStorage) {
        self.wrapped = wrapped
        self.storage = storage
    }

    var path: StoragePath { wrapped.path }

    func status() throws(StorageError) -> FileStatus {
        try storage.run(.fileStatus, path, "look at") { () throws(StorageError) in try wrapped.status() }
    }

    func read(into buffer: inout [UInt8], from start: Int, at offset: Int) throws(StorageError) -> Int {
        try storage.run(.read, path, "read") { () throws(StorageError) in
            try wrapped.read(into: &buffer, from: start, at: offset)
        }
    }

    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError) {
        try storage.run(
            .write, path, "write",
            partially: { count throws(StorageError) in
                try wrapped.write(bytes.extracting(0..<min(count, bytes.count)), at: offset)
                return true
            }
        ) { () throws(StorageError) in try wrapped.write(bytes, at: offset) }
    }

    func truncate(to size: Int) throws(StorageError) {
        try storage.run(.truncate, path, "cut") { () throws(StorageError) in try wrapped.truncate(to: size) }
    }

    func setMode(_ mode: UInt32) throws(StorageError) {
        try storage.run(.setMode, path, "set the permissions of") { () throws(StorageError) in try wrapped.setMode(mode) }
    }

    func synchronize() throws(StorageError) {
        try storage.run(
            .synchronize, path, "synchronize", losing: { (wrapped as? MemoryFile)?.loseUnsynchronized() }
        ) { () throws(StorageError) in try wrapped.synchronize() }
    }
}
