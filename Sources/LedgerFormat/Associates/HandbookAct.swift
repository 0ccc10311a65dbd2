package import CanonicalJSON
import PlantedDefects

/// What the entry of an approval or a reversal holds besides the request: the whole texts before and behind it, which are those that were
/// signed by their digests.
package struct HandbookAct: Sendable {
    package let change: HandbookChange
    package let before, after: String

    /// Reads a body; nil if it has not the form, or holds other texts.
    package init?(_ body: JSON) {
        guard let request = body["request"].flatMap(SignedRequest.init(_:)), let change = request.handbookChange,
            let before = body["before"]?.string, let after = body["after"]?.string,
            Digest(sha256: Array(before.utf8).span) == change.base && Digest(sha256: Array(after.utf8).span) == change.result
                || planted(.approvedTextUnchecked)
        else { return nil }
        self.change = change
        self.before = before
        self.after = after
    }
}
