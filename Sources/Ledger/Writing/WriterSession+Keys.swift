import CanonicalJSON
import DurableFiles
package import LedgerFormat
import PlantedDefects

// The sealing key's change. A key is called for from its introduction to the next; its file is needed until it is retired.
extension WriterSession {
    /// Introduces a fresh key, with which everything is sealed from now on.
    ///
    /// Requires the lock. The key file comes first, then an entry under the old key that names the new one, then HEAD under the new
    /// one. A crash leaves a key file that nothing names, which is harmless, or a HEAD that lags, which the next opening mends.
    package mutating func rotateKey(reason: String) throws(LedgerError) -> (old: KeyID, new: KeyID, receipt: Receipt) {
        guard let before = state else { preconditionFailure("only the holder of the writer's lock rotates its key") }
        let key = environment.makeSealingKey()
        let contents = key.fileContents
        try doing("cannot make a sealing key") { () throws(StorageError) in
            try storage.create(StoragePath(Layout.keys.name, SealingKey.fileName(key.id)), contents.span)
        }
        let keyring = try Keyring(key.id, in: storage)
        _ = try keyring.require(key.id)
        let oath = try doing("cannot make a sealing key") { () throws(StorageError) in try keyring.oath(of: key.id) }
        let draft = Drafts.keyRotated(to: key, from: before.key.id, in: before.tip.ledger, reason: reason)
        let answer = try commit([[draft]])[0].get()
        state?.tip.key = key.id
        state?.key = key
        state?.keyOath = oath
        state?.keys[key.id] = key
        // HEAD follows when the lock is given back: that the key is another one is durable already.
        return (before.key.id, key.id, answer.receipts[0])
    }

    /// Records that all that an old key has sealed was verified, so that its file is needed no more.
    ///
    /// Requires the lock, and verifies the whole ledger under it. A key that is retired already is not recorded again.
    ///
    /// - Parameters:
    ///   - destroying: whether to remove the key's file then; a crash before leaves it, and the same call removes it.
    ///   - isGone: whether the user gave the file up: then the links that newer keys have sealed vouch alone for what the key sealed.
    /// - Returns: the receipt; nil where it was retired before.
    package mutating func retireKey(
        _ id: KeyID, reason: String, destroying: Bool, isGone: Bool = false
    ) throws(LedgerError) -> Receipt? {
        guard let state else { preconditionFailure("only the holder of the writer's lock retires a key") }
        guard id != state.key.id else {
            throw LedgerError(.refused, "key \(id) is the one that seals; rotate first, and then retire it")
        }
        let view = try LedgerView(storage)
        let history = try KeyHistory(view, environment)
        guard let use = history.uses.first(where: { $0.key == id }) else {
            let what =
                history.archived.contains(id) ? "all that key \(id) sealed was archived" : "no entry was sealed with key \(id)"
            throw LedgerError(.usage, "\(what); `bulla key list` shows the keys")
        }
        var receipt: Receipt?
        if destroying, planted(.retiredKeyDestroyedFirst) { try destroyKeyFile(id) }
        if use.retiredAt == nil {
            let isHere = view.keyring.keys[id] != nil
            guard isHere || isGone else {
                throw LedgerError(
                    .unverifiable,
                    "what key \(id) sealed cannot be verified: \(view.keyring.absence(of: id)); if it is gone for good, use --gone"
                )
            }
            guard
                isHere
                    || !history.uses.contains(where: {
                        $0.retiredAt == nil && $0.firstSeq > use.lastSeq && view.keyring.keys[$0.key] == nil
                    })
            else {
                throw LedgerError(
                    .unverifiable, "a key that came later is missing too: retire the latest of them first, with --gone")
            }
            var members: JSONObject = [
                "entries": .number(Double(use.entryCount)), "first": .number(Double(use.firstSeq)),
                "last": .number(Double(use.lastSeq)),
            ]
            if !isHere { members["checked"] = "links only: the key's file is gone" }
            receipt = try commit([[Drafts.keyRetired(id, reason: reason, members)]])[0].get().receipts[0]
        }
        if destroying { try leaveKey(id) }
        if destroying { try destroyKeyFile(id) }
        return receipt
    }

    /// HEAD is sealed with another key before the file goes.
    private mutating func leaveKey(_ id: KeyID) throws(LedgerError) {
        guard let state, state.head.seq < state.tip.seq else { return }
        do throws(LedgerError) {
            try writeHead()
        } catch {
            throw LedgerError(error.code, "key \(id) is retired, but its file was not removed: \(error.message)", at: error.place)
        }
    }

    private func destroyKeyFile(_ id: KeyID) throws(LedgerError) {
        try doing("key \(id) is retired, but its file cannot be removed") { () throws(StorageError) in
            do throws(StorageError) {
                try storage.remove(StoragePath(Layout.keys.name, SealingKey.fileName(id)))
            } catch {
                if !error.isNotFound { throw error }
            }
            if !planted(.destroyedKeyUnsynced) { try storage.synchronize(directory: Layout.keys) }
        }
    }
}
