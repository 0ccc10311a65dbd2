import DurableFiles
import Ledger
import LedgerFormat
import TestSupport
import Testing

extension SimulatedMachine {
    /// Opening finds tampering at the place, raises the alert, and changes nothing else.
    func expectAlert(at place: Place) throws {
        let head = try self.head()
        let before = files
        let error = try #require(try openingError())
        #expect(error.code == .tampered && error.place == place, "\(error)")
        var alarmed = head
        alarmed.alert = true
        #expect(try self.head() == alarmed, "only the alert changed")
        #expect(files.besidesAlert == before.besidesAlert)
        #expect(try openingError()?.code == .locked)
    }
}
