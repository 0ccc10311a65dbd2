package import CanonicalJSON
package import Ledger
package import LedgerFormat
import PlantedDefects

// What may be changed, and which entry says so.
extension Documents {
    /// Applies a patch.
    ///
    /// - Throws: `refused` with the operation that does not apply, or when the tree would be too large or too deep.
    package func change(
        by patch: JSONPatch, _ justification: Justification, _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        _ = try changed(by: patch)
        let body: JSONObject = ["patch": patch.json]
        return Decision([try moment.draft(Self.patched, justification, body, context(of: patch, moment))])
    }

    /// What puts a value at a place: a member or element that is there is replaced, and else a member is added.
    package func setting(_ pointer: JSONPointer, to value: JSON) -> JSONPatch {
        JSONPatch([root[pointer] == nil ? .add(pointer, value) : .replace(pointer, value)])
    }

    /// Puts a value at a place.
    package func set(
        _ pointer: JSONPointer, to value: JSON, _ justification: Justification, _ moment: Moment
    ) throws(LedgerError) -> Decision<Void> {
        try change(by: setting(pointer, to: value), justification, moment)
    }

    /// The patch that leads from here to an earlier state; empty if nothing changes.
    package func restoration(of earlier: Documents) -> JSONPatch { difference(to: earlier.root) }

    /// The patch that leads from here to another tree.
    func difference(to other: JSON) -> JSONPatch {
        let patch = JSONPatch.diff(from: root, to: other)
        // Many small changes can be longer than the whole, or more than one patch may have; the whole always fits.
        guard patch.operations.count > Self.operationCountMax || patch.json.canonicalBytes().count > Self.byteCountMax else {
            return patch
        }
        return JSONPatch([.replace(JSONPointer(), other)])
    }

    /// Takes the tree back to an earlier state; what came since stays in the ledger.
    ///
    /// - Returns: the patch, which is empty if there is nothing to restore, and then nothing is recorded.
    package func restore(
        to earlier: Documents, at mark: Mark, _ justification: Justification, _ moment: Moment
    ) throws(LedgerError) -> Decision<JSONPatch> {
        let patch = restoration(of: earlier)
        guard !patch.operations.isEmpty else { return Decision([], reply: patch) }
        let body: JSONObject = [
            "hash": .string(mark.hash.description), "patch": patch.json, "to": .number(Double(mark.seq)),
        ]
        let draft = try moment.draft(Self.restored, justification, body, context(of: patch, moment))
        return Decision([draft], reply: patch)
    }

    /// The tree behind a patch.
    func changed(by patch: JSONPatch) throws(LedgerError) -> JSON {
        guard !patch.operations.isEmpty else { throw LedgerError(.usage, "the patch has no operation") }
        guard patch.operations.count <= Self.operationCountMax else {
            throw LedgerError(
                .refused,
                "the patch has \(patch.operations.count) operations, and \(Self.operationCountMax) are allowed; nothing was changed"
            )
        }
        var (changed, byteCount) = (root, root.canonicalBytes().count)
        for (index, operation) in patch.operations.enumerated() {
            // Looked at after each operation: copies of copies double a tree, and thirty of them fill any memory.
            byteCount += operation.growth(of: changed)
            do throws(JSONPatchError) { try JSONPatch([operation]).apply(to: &changed) } catch {
                let error = JSONPatchError(operation: index, reason: error.reason)
                throw LedgerError(.refused, "the patch does not apply to the state: \(error); nothing was changed")
            }
            if byteCount > Self.byteCountMax { byteCount = try Self.allowedByteCount(of: changed) }
        }
        try Self.checkSize(of: changed)
        return changed
    }

    /// Refuses a tree that is too deep or too large.
    static func checkSize(of root: JSON) throws(LedgerError) {
        guard root.depth <= depthMax else {
            throw LedgerError(.refused, "the state would nest deeper than \(depthMax) levels; nothing was changed")
        }
        _ = try allowedByteCount(of: root)
    }

    private static func allowedByteCount(of root: JSON) throws(LedgerError) -> Int {
        let byteCount = root.canonicalBytes().count
        guard byteCount <= byteCountMax else {
            throw LedgerError(
                .refused, "the state would have \(byteCount) bytes, and \(byteCountMax) are allowed; nothing was changed")
        }
        return byteCount
    }

    /// What was seen, and what is written: later conflicts are told by it.
    private func context(of patch: JSONPatch, _ moment: Moment) -> JSONObject {
        let places = (try? patch.places(on: root))?.writes ?? [JSONPointer()]
        let writes = Self.areFew(places) || planted(.writesUnbounded) ? places : [JSONPointer()]
        return ["base": .number(Double(moment.seq)), "writes": .array(writes.map { .string($0.description) })]
    }

    /// Whether so many places have room beside the patch, which names them too.
    static func areFew(_ places: [JSONPointer]) -> Bool {
        places.count <= writeCountMax && places.reduce(0) { $0 + $1.description.utf8.count } <= writeByteCountMax
    }

    /// More are said as the whole document.
    static let writeCountMax = 256
    static let writeByteCountMax = 8 << 10
}

extension JSONPatch.Operation {
    /// By how many bytes the tree's text grows at most, with the name that it may give to a value.
    fileprivate func growth(of root: JSON) -> Int {
        switch self {
        case .add(let path, let value), .replace(let path, let value):
            value.canonicalBytes().count + path.description.utf8.count + 4
        case .copy(let from, let path): (root[from]?.canonicalBytes().count ?? 0) + path.description.utf8.count + 4
        case .move(_, let path): path.description.utf8.count + 4
        case .remove, .test: 0
        }
    }
}
