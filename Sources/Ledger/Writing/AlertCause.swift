import CanonicalJSON
package import DurableFiles
package import LedgerFormat
import PlantedDefects

extension Layout {
    /// Why the alert was raised.
    package static let alertCause = StoragePath(quarantine.name, "alert")
}

/// Why the house is locked, as whoever locked it saw it: a path that was replaced, and put back, shows nothing afterwards.
///
/// Sealed, and bound to the HEAD that is in alert; a repair takes it over into the ledger. It is written before that HEAD: a crash between
/// the two leaves a file that nobody asks for.
package struct AlertCause: Sendable, Equatable {
    /// One sentence.
    package let text: String
    package let time: Timestamp

    private static let label = "bulla/1/alert\n"
    /// A longer file is none.
    private static let byteCountMax = 64 << 10
    /// It must fit into the entry of a repair.
    private static let characterCountMax = 2000

    /// What stands beside a HEAD in alert; nil if there is nothing that its key has sealed for it.
    package init?(of view: LedgerView) {
        guard let head = view.validHead, head.alert, let key = view.keyring.keys[head.key],
            let bytes = try? view.storage.open(Layout.alertCause, .read).contents(upTo: Self.byteCountMax),
            let members = try? SealedObject(bytes, label: Self.label, ledger: head.ledger, keys: [key.id: key]).members,
            members["tip"]?.string == head.tip.description || planted(.oldAlertCauseBelieved),
            let text = members["cause"]?.string, let time = members["time"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        self.text = text
        self.time = time
    }

    /// Keeps the cause for a HEAD that is about to be in alert.
    static func keep(
        _ text: String, for head: Head, _ key: SealingKey, at time: Timestamp, in storage: any Storage
    ) throws(StorageError) {
        let object = SealedObject(
            ledger: head.ledger, key: key.id,
            [
                "cause": .string(String(text.prefix(characterCountMax))), "time": .string(time.description),
                "tip": .string(head.tip.description),
            ])
        try storage.ensureDirectory(Layout.quarantine)
        try storage.replace(Layout.alertCause, object.bytes(label: label, key).span)
    }
}
