package import CanonicalJSON
package import Ledger
package import LedgerFormat

/// How the value at one place of the tree came to be.
package struct DocumentHistory: Sendable {
    /// An entry that gave the place another value.
    package struct Change: Sendable {
        package var seq: UInt64
        package var time: Timestamp
        package var actor: String
        package var action: String
        /// Why.
        package var reason: String
        /// Nil if nothing stands there any more.
        package var value: JSON?
    }

    /// Tells the changes of the value at `pointer`, in their order.
    package static func read(
        _ pointer: JSONPointer, in view: LedgerView, to end: FoldEnd = .tip, _ environment: Environment,
        _ visit: (Change) -> Void
    ) throws(LedgerError) {
        let beginning = try Fold<Documents>(beginningOf: view, to: end, environment)
        var documents = beginning.state
        var value = documents.root[pointer]
        var mark = beginning.mark
        try FactReader(view, of: Documents.namespaces, environment).read(after: &mark, to: end) { fact in
            documents.apply(fact)
            let found = documents.root[pointer]
            guard found != value else { return }
            value = found
            visit(
                Change(
                    seq: fact.seq, time: fact.time, actor: fact.actor, action: fact.action, reason: fact.reason, value: found))
        }
    }
}
