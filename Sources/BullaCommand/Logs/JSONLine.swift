import CanonicalJSON
import LedgerFormat

/// A JSON object a line, by the rules of I-JSON (RFC 7493): no key twice, no lone surrogate, no integer that a double cannot hold.
enum JSONLine {
    static func body(of line: [UInt8]) throws(LineError) -> JSONObject {
        let json: JSON
        do throws(JSONError) {
            json = try JSON(parsing: line, maximumDepth: Limits.draftDepth - 1)
        } catch {
            throw LineError(at: error.offset, error.description)
        }
        guard let object = json.object else { throw LineError(at: 0, "the line is not a JSON object") }
        return object
    }
}
