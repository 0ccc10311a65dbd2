import DurableFiles
package import LedgerFormat

/// Anchors as files in a folder of the user: one a ledger, named by its id.
///
/// Nothing is synced: an anchor is written at every release of the lock and only has to be right nearly always. A crash leaves the old file,
/// the new one, or an empty one, which counts as unusable and is made anew.
package struct AnchorFolder: AnchorStore {
    package let here: PathText
    private let folder: Result<String, Unknown>
    private let environment: Environment

    /// Why no folder is known.
    private struct Unknown: Error { let reason: String }

    private static let lockMicroseconds: Int64 = 1_000_000
    private static let pauseMicroseconds: Int64 = 500

    private init(_ folder: Result<String, Unknown>, _ here: PathText, _ environment: Environment) {
        self.folder = folder
        self.here = here
        self.environment = environment
    }

    /// - Parameters:
    ///   - path: need not exist yet.
    ///   - ledger: the ledger's directory, which exists.
    package init?(_ path: String, ledger: String, _ environment: Environment) {
        guard let here = UserPlaces.resolved(ledger) else { return nil }
        self.init(.success(path), PathText(here), environment)
    }

    /// In `$BULLA_STATE_DIR`, else `bulla` in `$XDG_STATE_HOME` or `~/.local/state`; nil when the user wants none:
    /// `BULLA_ANCHOR=off`, or an empty `BULLA_STATE_DIR`.
    package init?(ledger: String, _ environment: Environment) {
        if UserPlaces.variable("BULLA_ANCHOR") == Array("off".utf8) { return nil }
        guard let here = UserPlaces.resolved(ledger) else { return nil }
        let slash = UInt8(ascii: "/")
        let bytes: [UInt8]
        if let own = UserPlaces.variable("BULLA_STATE_DIR") {
            if own.isEmpty { return nil }
            bytes = own
        } else if let state = UserPlaces.variable("XDG_STATE_HOME"), state.first == slash {
            bytes = state + Array("/bulla".utf8)
        } else if let home = UserPlaces.home, home.first == slash {
            bytes = home + Array("/.local/state/bulla".utf8)
        } else {
            bytes = []
        }
        guard !bytes.isEmpty, let path = String(validating: bytes, as: UTF8.self) else {
            let reason = bytes.isEmpty ? "no home folder is known" : "the path of the state folder is not UTF-8"
            self.init(.failure(Unknown(reason: reason + "; set BULLA_STATE_DIR")), PathText(here), environment)
            return
        }
        self.init(.success(path + "/anchors"), PathText(here), environment)
    }

    /// For messages.
    package var description: String { (try? folder.get()) ?? "no folder" }
}

extension AnchorFolder {
    package func read(_ ledger: LedgerID) -> AnchorFinding {
        guard case .success(let path) = folder else {
            if case .failure(let unknown) = folder { return .unusable(unknown.reason) }
            return .absent
        }
        guard let resolved = Self.resolved(path) else { return .absent }
        do throws(StorageError) {
            return try Self.finding(try open(resolved), ledger)
        } catch {
            return error.isNotFound ? .absent : .unusable("\(error)")
        }
    }

    package func update(_ ledger: LedgerID, _ change: (inout Anchor) -> Void) -> String? {
        let reason: String
        switch folder {
        case .failure(let unknown): reason = unknown.reason
        case .success(let path):
            do throws(StorageError) {
                let storage = try open(try Self.made(path))
                if try lock(storage) {
                    defer { storage.unlock(.writer) }
                    var anchor = Anchor(ledger)
                    if case .found(let known) = try Self.finding(storage, ledger) { anchor = known }
                    let before = anchor
                    change(&anchor)
                    if anchor != before { try Self.write(anchor, to: storage) }
                    return nil
                }
                reason = "somebody keeps \(storage.basePath) locked"
            } catch {
                reason = "\(error)"
            }
        }
        return "the anchor was not kept: \(reason); a step back of the ledger to an older state may go unnoticed"
    }

    private static func finding(_ storage: POSIXStorage, _ ledger: LedgerID) throws(StorageError) -> AnchorFinding {
        let path = StoragePath(ledger.description)
        let file: any StorageFile
        do throws(StorageError) {
            file = try storage.open(path, .read)
        } catch {
            guard error.isNotFound else { throw error }
            return .absent
        }
        let bytes = try file.contents(upTo: min(try file.status().size, Anchor.byteCountMax))
        guard let anchor = Anchor(file: bytes, of: ledger) else {
            return .unusable("\(storage.basePath)/\(path) is damaged, and is made anew when the ledger is written")
        }
        return .found(anchor)
    }

    /// Under the folder's lock, so that the name aside is ours.
    private static func write(_ anchor: Anchor, to storage: POSIXStorage) throws(StorageError) {
        let path = StoragePath(anchor.ledger.description)
        let aside = StoragePath(anchor.ledger.description + ".new")
        let file: any StorageFile
        do throws(StorageError) {
            file = try storage.open(aside, .create)
        } catch {
            guard error.isExisting else { throw error }
            try storage.remove(aside)
            file = try storage.open(aside, .create)
        }
        let bytes = anchor.fileContents
        try file.write(bytes.span, at: 0)
        try storage.rename(aside, to: path)
    }
}

// The folder
extension AnchorFolder {
    /// A folder that others own says nothing that could be relied on, and is not written to.
    private func open(_ path: String) throws(StorageError) -> POSIXStorage {
        let allowed = UserPlaces.variable("BULLA_ALLOW_NETWORK_FS").map { String(decoding: $0, as: UTF8.self) }
        let storage = try POSIXStorage(path: path, allowedNetworkFileSystem: allowed)
        guard storage.owner == storage.user else { throw StorageError(.refused(.foreignOwner(storage.owner)), "open", path) }
        return storage
    }

    /// Whether the folder's lock was to be had; holders keep it for one small file.
    private func lock(_ storage: POSIXStorage) throws(StorageError) -> Bool {
        let deadline = environment.uptime() + Self.lockMicroseconds
        while try !storage.tryLock(.writer) {
            guard environment.uptime() < deadline else { return false }
            environment.pause(Self.pauseMicroseconds)
        }
        return true
    }

    private static func resolved(_ path: String) -> String? {
        guard let bytes = UserPlaces.resolved(path) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The folder without links, made with all that leads to it where it is missing.
    private static func made(_ path: String) throws(StorageError) -> String {
        if let found = resolved(path) { return found }
        var parts = path.pathParts()
        // Without a name that could be made, opening it says what is wrong.
        guard let name = parts.popLast(), name != ".", name != ".." else { return path }
        let parent = try made((path.isAbsolutePath ? "/" : "./") + parts.joined(separator: "/"))
        do throws(StorageError) {
            try POSIXStorage(path: parent).makeDirectory(StoragePath(name))
        } catch {
            // Somebody else may have been quicker.
            guard error.isExisting, resolved(path) != nil else { throw error }
        }
        return resolved(path) ?? path
    }
}
