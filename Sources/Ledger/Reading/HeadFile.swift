package import DurableFiles
package import LedgerFormat

/// The file HEAD, as it was found.
package enum HeadFinding: Sendable, Equatable {
    case valid(Head)
    case faulty(HeadFault)

    package var head: Head? {
        if case .valid(let head) = self { return head }
        return nil
    }

    /// Judges the file's bytes; the MAC is checked if the key is among `keys`.
    package init(_ bytes: [UInt8], keys: [KeyID: SealingKey]) {
        do throws(HeadFault) { self = .valid(try Head(file: bytes, keys: keys)) } catch { self = .faulty(error) }
    }

    /// Reads the file; an absent one is empty.
    package static func bytes(in storage: any Storage) throws(StorageError) -> [UInt8] {
        do throws(StorageError) {
            return try storage.open(Layout.head, .read).contents(upTo: Head.byteCountMax)
        } catch {
            if error.isNotFound { return [] }
            throw error
        }
    }
}
