import PlantedDefects
import SystemPackage

/// A regular file of a POSIX base directory.
final class POSIXFile: StorageFile {
    let path: StoragePath
    private let descriptor: Descriptor
    private let shownPath: String

    init(_ descriptor: consuming Descriptor, _ path: StoragePath, shownPath: String) {
        self.descriptor = descriptor
        self.path = path
        self.shownPath = shownPath
    }

    func status() throws(StorageError) -> FileStatus {
        do throws(Errno) { return try System.status(of: descriptor.raw) } catch { throw failure(error, "look at") }
    }

    func read(into buffer: inout [UInt8], from start: Int, at offset: Int) throws(StorageError) -> Int {
        do throws(Errno) {
            return try System.read(descriptor.raw, &buffer, from: start, at: offset)
        } catch {
            throw failure(error, "read")
        }
    }

    func write(_ bytes: Span<UInt8>, at offset: Int) throws(StorageError) {
        var done = 0
        do throws(Errno) {
            // A short write is no failure; what stops it, the next call says.
            while done < bytes.count {
                let count = try System.write(descriptor.raw, bytes.extracting(done..<bytes.count), at: offset + done)
                if count == 0 { throw .ioError }
                done += count
                if planted(.shortWriteAccepted) { break }
            }
        } catch {
            throw failure(error, "write")
        }
    }

    func truncate(to size: Int) throws(StorageError) {
        do throws(Errno) { try System.truncate(descriptor.raw, to: size) } catch { throw failure(error, "cut") }
    }

    func setMode(_ mode: UInt32) throws(StorageError) {
        do throws(Errno) { try System.setMode(descriptor.raw, mode) } catch { throw failure(error, "set the permissions of") }
    }

    func synchronize() throws(StorageError) {
        do throws(Errno) { try System.synchronizeData(descriptor.raw) } catch { throw failure(error, "synchronize") }
    }

    private func failure(_ errno: Errno, _ operation: String) -> StorageError {
        StorageError(.system(errno), operation, shownPath)
    }
}
