import LedgerFormat
import TestSupport
import Testing

@Suite("An entry that takes another one over")
struct ReadmissionTests {
    @Test("a body of any other form takes nothing over", arguments: [#"{}"#, #"{"frame":{}}"#, #"{"frame":{},"proven":1}"#])
    func form(body: String) throws {
        var chain = ForgedChain()
        chain.append {
            $0.action = Readmission.action
            $0.body = body
        }
        let bytes = Array(chain.bytes[chain.entries[1].start.offset...])
        guard case .frame(let frame) = FrameView.find(in: bytes.span, at: 0) else {
            Issue.record("no frame")
            return
        }
        #expect(bytes.span.text(frame.action) == "ledger.readmitted")
        let readmission = Readmission(frame, of: bytes.span)
        #expect(readmission == nil)
    }
}
