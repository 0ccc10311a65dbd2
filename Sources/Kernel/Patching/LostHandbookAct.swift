import CanonicalJSON
import Ledger
import LedgerFormat

/// An act of a handbook whose entry damage took, and which no later one follows: the ledger does not hold the text that was signed last.
///
/// A repair keeps the request, or an entry says that it was carried out.
struct LostHandbookAct: Sendable, CustomStringConvertible {
    private let name: HandbookName
    /// The entry that tells of it.
    private let witness: UInt64

    /// Nil if there is none.
    init?(of name: HandbookName, in view: LedgerView, _ environment: Environment) throws(LedgerError) {
        var past = Mark(lastArchivedIn: view)
        var traces = Traces(name, from: view.firstSeq)
        try FactReader(view, of: Patches.namespaces + ["ledger"], environment).read(after: &past) { traces.take($0) }
        guard let witness = traces.lost.last?.witness else { return nil }
        self.name = name
        self.witness = witness
    }

    var description: String {
        "what associates signed last for \(name) is lost: entry \(witness) tells of it, and no entry holds its text; so nobody puts back what was "
            + "signed before: propose the text that it is to have, and let it be approved"
    }

    /// In the order in which they were signed.
    private struct Traces {
        let name: HandbookName
        let firstSeq: UInt64
        var lost: [(request: SignedRequest?, witness: UInt64)] = []
        /// Acts whose entries are there.
        var seqs: Set<UInt64> = []

        init(_ name: HandbookName, from firstSeq: UInt64) { (self.name, self.firstSeq) = (name, firstSeq) }

        mutating func take(_ fact: Fact) {
            switch fact.action {
            case ChainTurn.repaired:
                // Those too whose entries it re-admits, which come behind it.
                for item in fact.body["acts"]?.array ?? [] {
                    if let request = request(in: item) { lost.append((request, fact.seq)) }
                }
            case SignedRequest.Verb.approvePatch.action, SignedRequest.Verb.revertPatch.action:
                guard let request = request(in: fact.body) else { return }
                seqs.insert(fact.seq)
                // It follows on all that were signed before.
                if let index = lost.lastIndex(where: { $0.request == request || $0.witness < fact.seq }) {
                    lost.removeSubrange(...index)
                }
            case Patches.applied:
                let body = fact.body
                guard let act = body["act"]?.seq, act >= firstSeq, !seqs.contains(act),
                    body["handbook"]?.string.map({ $0.utf8.elementsEqual(name.text.utf8) }) == true
                else { return }
                lost.append((nil, fact.seq))
            default: return
            }
        }

        private func request(in body: JSON) -> SignedRequest? {
            guard let request = body["request"].flatMap(SignedRequest.init(_:)), let change = request.handbookChange,
                change.handbook.utf8.elementsEqual(name.text.utf8)
            else { return nil }
            return request
        }
    }
}
