package import DurableFiles
package import Ledger
package import LedgerFormat
import PlantedDefects

/// Where handbooks lie: the constitution's folders, each of which is opened as a base of its own, and nothing outside of them.
///
/// A folder's owner alone changes what is in it, and a handbook is a regular file of his with one name, reached through no link: the storage
/// looks at that whenever it opens one.
package struct Shelf: Sendable {
    /// As the constitution has them.
    package let folders: [String]
    private let fault: HandbookFault?
    private let open: @Sendable (String) throws(StorageError) -> any Storage

    /// - Parameter fault: why none of the folders counts.
    package init(
        _ folders: [String], fault: HandbookFault? = nil, open: @escaping @Sendable (String) throws(StorageError) -> any Storage
    ) {
        self.folders = folders
        self.fault = fault
        self.open = open
    }

    /// The handbook as it is now.
    ///
    /// - Throws: `refused` for one that is outside, not there, or no plain file.
    package func read(_ name: HandbookName) throws(LedgerError) -> Handbook {
        guard let handbook = try find(name) else { throw LedgerError(HandbookFault.absent(name.text)) }
        return handbook
    }

    /// The same; nil if there is none.
    package func find(_ name: HandbookName) throws(LedgerError) -> Handbook? {
        let found = try look(at: name)
        do throws(HandbookFault) { return try found?.content.get() } catch { throw LedgerError(error) }
    }

    /// What stands in a handbook's place: perhaps no text that one can have.
    package struct Found: Sendable {
        package let content: Result<Handbook, HandbookFault>
        /// Of all its bytes, however many there are.
        package let digest: Digest
    }

    /// The same, whatever somebody has written there.
    package func look(at name: HandbookName) throws(LedgerError) -> Found? {
        try LedgerError.refusing { () throws(any Error) in
            let (folder, path) = try place(of: name)
            let file: any StorageFile
            do throws(StorageError) { file = try open(folder).open(path, .read) } catch {
                if error.isNotFound { return nil }
                throw error
            }
            let bytes = try file.contents(upTo: Handbook.byteCountMax)
            var digest = StreamingDigest()
            digest.update(bytes.span)
            var (offset, buffer) = (bytes.count, [UInt8](repeating: 0, count: Handbook.byteCountMax))
            while offset > Handbook.byteCountMax, case let count = try file.read(into: &buffer, from: 0, at: offset), count > 0 {
                digest.update(buffer.span.extracting(0..<count))
                offset += count
            }
            return Found(
                content: Result { () throws(HandbookFault) in try Handbook(name, bytes) }, digest: digest.finish())
        }
    }

    /// Whoever records that a text will stand there looks first.
    ///
    /// - Throws: `refused` where nothing could be put, as its directory is gone or belongs to somebody else.
    package func checkPlace(of name: HandbookName) throws(LedgerError) {
        try LedgerError.refusing { () throws(any Error) in
            let (folder, path) = try place(of: name)
            do throws(StorageError) {
                let storage = try open(folder)
                try Self.checkOwner(of: storage)
                if try path.parent.map({ parent throws(StorageError) in try storage.status(of: parent) == nil }) != true {
                    return
                }
            } catch { guard error.isNotFound else { throw error } }
            throw HandbookFault.noDirectory(name.text)
        }
    }

    private static func checkOwner(of storage: any Storage) throws(StorageError) {
        guard storage.user == storage.owner else {
            throw StorageError(.refused(.foreignOwner(storage.owner)), "open", storage.basePath)
        }
    }

    /// Puts a text in a handbook's place, in one step, with the permissions of what stands there, which is checked first.
    package func write(_ handbook: Handbook) throws(LedgerError) {
        try LedgerError.refusing { () throws(any Error) in
            let (folder, path) = try place(of: handbook.name)
            let storage = try open(folder)
            try Self.checkOwner(of: storage)
            var mode: UInt32 = 0o644
            do throws(StorageError) { mode = try storage.open(path, .read).status().mode } catch {
                guard error.isNotFound else { throw error }
            }
            let aside = path.parent.map { StoragePath($0, Self.asideName) } ?? StoragePath(Self.asideName)
            try storage.replace(path, handbook.bytes.span, aside: aside, mode: mode)
        }
    }

    /// Nobody's own file has this name.
    private static let asideName = ".\(HandbookName.fileName).bulla"

    /// The nearest folder around it, and the path from there.
    private func place(of name: HandbookName) throws(HandbookFault) -> (folder: String, path: StoragePath) {
        guard !folders.isEmpty else { throw .noFolders }
        if let fault { throw fault }
        let around = folders.filter { name.text.utf8.starts(with: "\($0)/".utf8) }.max { $0.utf8.count < $1.utf8.count }
        guard let folder = around ?? (planted(.handbookAnywhere) ? "." : nil) else { throw .outside(name.text, folders) }
        let parts = name.text.pathParts().dropFirst(around == nil ? 0 : folder.pathParts().count)
        guard let first = parts.first else { throw .fileName(name.text) }
        return (folder, parts.dropFirst().reduce(StoragePath(first)) { StoragePath($0, $1) })
    }
}

extension LedgerError {
    package init(_ fault: HandbookFault) { self.init(.refused, "\(fault); nothing was recorded") }

    /// Runs what looks at handbooks, and says what is wrong with one.
    fileprivate static func refusing<Result>(_ body: () throws -> Result) throws(LedgerError) -> Result {
        do { return try body() } catch let error as HandbookFault {
            throw LedgerError(error)
        } catch let error as StorageError {
            throw LedgerError(error, doing: "the handbook is refused")
        } catch {
            preconditionFailure("handbooks fail in no other way: \(error)")
        }
    }
}
