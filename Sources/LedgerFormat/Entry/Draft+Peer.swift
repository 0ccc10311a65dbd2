import CanonicalJSON

/// Who asked for an entry over a socket, as the system says of the other end.
package struct Peer: Sendable, Equatable {
    package var user: UInt32
    package var group: UInt32
    /// Of the moment when it connected; 0 when it lies outside of our process name space.
    package var process: Int32

    package init(user: UInt32, group: UInt32, process: Int32) {
        self.user = user
        self.group = group
        self.process = process
    }

    /// `{"gid":…,"pid":…,"uid":…}`.
    var json: JSON { ["gid": .number(Double(group)), "pid": .number(Double(process)), "uid": .number(Double(user))] }
}

extension Draft {
    /// The same with `peer` in its context, which no draft may bring by itself.
    package func asked(by peer: Peer) -> Draft {
        var context = contextObject
        context["peer"] = peer.json
        return with(context: context)
    }

    /// The same with another context.
    func with(context: JSONObject) -> Draft {
        let bytes = JSON.object(context).canonicalBytes()
        let shift = bytes.count - members.context.count
        var moved = members
        moved.context = members.context.lowerBound..<members.context.upperBound + shift
        moved.reason = members.reason.lowerBound + shift..<members.reason.upperBound + shift
        var text = text
        text.replaceSubrange(members.context, with: bytes)
        return Draft(text: text, moved, context)
    }

    /// What its context holds.
    var contextObject: JSONObject {
        if members.context.count == 2 { return [:] }
        guard let context = try? JSON(parsing: text.span.extracting(members.context)).object else {
            preconditionFailure("a draft's context is a canonical object")
        }
        return context
    }

    /// Appends the draft as a canonical JSON object.
    package func append(to bytes: inout [UInt8]) {
        bytes += text
        bytes.append(UInt8(ascii: "}"))
    }

    /// Of that object.
    package var byteCount: Int { text.count + 1 }
}
