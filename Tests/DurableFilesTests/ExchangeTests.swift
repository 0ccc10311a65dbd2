import DurableFiles
import TestSupport
import Testing

@Suite("Two directories change places")
struct ExchangeTests {
    @Test("and nothing else does: a file beside a directory is refused, and both stay")
    func file() throws {
        let storage = try MemoryStorage(.withEmptyBase())
        try storage.makeDirectory(Layout.ledger)
        try storage.create(Layout.head, text: "head")
        for (one, other) in [(Layout.ledger, Layout.head), (Layout.head, Layout.ledger)] {
            let error = #expect(throws: StorageError.self) { try storage.exchange(one, with: other) }
            #expect(error?.kind == .refused(.notDirectory(.regular)), "\(String(describing: error))")
        }
        #expect(try storage.status(of: Layout.ledger)?.kind == .directory)
        #expect(try storage.text(of: Layout.head) == "head")
    }
}
