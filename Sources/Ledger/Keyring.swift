package import DurableFiles
package import LedgerFormat
import PlantedDefects

/// The sealing keys of a ledger, as they lie in `keys/`.
package struct Keyring: Sendable {
    package private(set) var keys: [KeyID: SealingKey] = [:]
    /// The open key files: their descriptors keep the identities from being reused.
    private var files: [KeyID: any StorageFile] = [:]
    private var troubles: [KeyID: Trouble] = [:]
    /// Every key file was looked at.
    private(set) var hasAll = false

    /// Why a key file gives no key.
    private enum Trouble: Sendable {
        case storage(StorageError)
        case refused(String)
        case damaged
        case replaced(by: KeyID)
    }

    /// No key at all.
    package init() {}

    /// Opens the key file of `id`; one that is absent or of no use leaves the ring without it, and `require` says why.
    package init(_ id: KeyID, in storage: any Storage) throws(LedgerError) { try load(id, from: storage) }

    /// Opens all key files; one that must not be trusted is refused if it is of `needed`, and otherwise no key.
    package init(allIn storage: any Storage, needed: Set<KeyID>) throws(LedgerError) {
        for id in needed { try load(id, from: storage) }
        try loadOthers(from: storage)
    }

    /// The ids that key files are named after, rising.
    package static func ids(in storage: any Storage) throws(LedgerError) -> [KeyID] {
        do throws(StorageError) {
            return try storage.names(in: Layout.keys).sorted().compactMap(SealingKey.id(ofFile:))
        } catch {
            // Who may not look, or has no such directory, has no keys.
            if error.isAbsence { return [] }
            throw LedgerError(error, doing: "cannot look for keys")
        }
    }

    /// Opens the key files that are not open yet.
    mutating func loadOthers(from storage: any Storage) throws(LedgerError) {
        hasAll = true
        for id in try Self.ids(in: storage) where keys[id] == nil && troubles[id] == nil {
            do throws(LedgerError) {
                try load(id, from: storage)
            } catch {
                guard error.code == .refused else { throw error }
                troubles[id] = .refused(error.message)
            }
        }
    }

    /// Opens one more key file.
    mutating func load(_ id: KeyID, from storage: any Storage) throws(LedgerError) {
        let path = StoragePath(Layout.keys.name, SealingKey.fileName(id))
        do throws(StorageError) {
            let file = try storage.open(path, .read)
            let mode = try file.status().mode
            guard mode & 0o077 == 0 || planted(.openKeyAccepted) else {
                throw StorageError(.refused(.openToOthers(mode: mode)), "open", "\(storage.basePath)/\(path)")
            }
            let bytes = try file.contents(upTo: SealingKey.fileByteCount)
            guard let key = SealingKey(file: bytes) else {
                troubles[id] = .damaged
                return
            }
            guard key.id == id else {
                troubles[id] = .replaced(by: key.id)
                return
            }
            keys[id] = key
            files[id] = file
        } catch {
            // An absent key leaves the chain unverifiable; a key file that must not be trusted is refused; a failing disk is neither.
            guard error.isAbsence else { throw LedgerError(error, doing: "cannot use the sealing key") }
            troubles[id] = .storage(error)
        }
    }

    /// Keys given as files' contents, from outside the ledger.
    package init(files: [[UInt8]]) throws(LedgerError) {
        for bytes in files {
            guard let key = SealingKey(file: bytes) else {
                throw LedgerError(
                    .usage, "this is no sealing key: a key file holds 64 lower-case hexadecimal digits and a line feed")
            }
            keys[key.id] = key
        }
    }

    /// The key, or why it is not there.
    package func require(_ id: KeyID) throws(LedgerError) -> SealingKey {
        if let key = keys[id] { return key }
        throw LedgerError(.unverifiable, "cannot seal without key \(id): \(absence(of: id))")
    }

    /// Why there is no key of this id, and what to do.
    package func absence(of id: KeyID) -> String {
        let file = "keys/\(SealingKey.fileName(id))"
        switch troubles[id] {
        case .refused(let message): return message
        case .damaged: return "\(file) is damaged; put its backup in place"
        case .replaced(let other): return "\(file) holds another key, \(other); put the right one in place"
        case .storage(let error) where !error.isNotFound: return "\(error)"
        default: return "\(file) is missing; put its backup in place"
        }
    }

    /// The oath of the key's file.
    func oath(of id: KeyID) throws(StorageError) -> Oath? {
        guard let file = files[id] else { return nil }
        return try Oath(file)
    }
}
