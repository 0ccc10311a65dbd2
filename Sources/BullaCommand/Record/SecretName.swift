/// What a name says of its value.
enum SecretKind {
    case password
    /// May be a file as well: a value that is a path is kept.
    case key
    /// May be a method as well: `basic`, `none`.
    case authorization
}

enum SecretName {
    /// The kind of secret that a name announces, in kebab, snake, camel or any other case; nil for harmless ones.
    static func kind(_ name: String) -> SecretKind? {
        let words = words(name)
        for index in words.indices {
            guard let kind = kind(words, at: index) else { continue }
            if words[(index + 1)...].contains(where: isQualifier) { continue }
            return kind
        }
        return nil
    }

    /// The kind of the value that follows an option as an argument of its own; options like `--ask-password` take none.
    static func kindOfNext(_ option: String) -> SecretKind? {
        guard let first = words(option).first, !switches.contains(first) else { return nil }
        return kind(option)
    }

    private static func kind(_ words: [String], at index: Int) -> SecretKind? {
        let word = words[index]
        let before = words[..<index]
        switch word {
        case "pwd": return before.isEmpty || before == ["old"] ? nil : .password
        case "key", "keys": return before.last.map(keyQualifiers.contains) == true ? .key : nil
        case "token":
            return before.contains(where: quantities.contains) ? nil : .password
        case "tokens": return before.contains(where: tokenQualifiers.contains) ? .password : nil
        default: break
        }
        if passwords.contains(word) || passwordEndings.contains(where: { word.hasSuffix($0) }) { return .password }
        if keys.contains(word) || keyEndings.contains(where: { word.hasSuffix($0) }) { return .key }
        if authorizations.contains(word) { return .authorization }
        return nil
    }

    private static func isQualifier(_ word: String) -> Bool { qualifiers.contains(word) }

    /// The words of a name in lower case, without digits at their ends.
    static func words(_ name: String) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        func finish() {
            while let last = word.last, last.isDigit { word.removeLast() }
            if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
            word = []
        }
        var bytes = Array(name.utf8)
        // `-DAPI_KEY=…` of compilers and Java.
        if bytes.has("-D".utf8, at: 0) { bytes.removeFirst(2) }
        for (index, byte) in bytes.enumerated() {
            guard byte.isAlphanumeric else {
                finish()
                continue
            }
            if byte.isUpper, index > 0 {
                let startsWord = index + 1 < bytes.count && bytes[index + 1].isLower && bytes[index - 1].isUpper
                if bytes[index - 1].isLower || bytes[index - 1].isDigit || startsWord { finish() }
            }
            word.append(byte.isUpper ? byte + 0x20 : byte)
        }
        finish()
        return words
    }

    private static let passwords: Set = [
        "pass", "passcode", "passin", "passout", "passwords", "passphrases", "secrets", "jwt", "bearer", "dbpass",
        "userpass",
        "rootpass", "mypass", "ftppass", "smtppass", "adminpass", "dbpwd", "userpwd", "sessionid",
    ]
    private static let passwordEndings = ["password", "passwd", "passphrase", "secret", "token"]
    private static let keys: Set = ["credential", "credentials", "creds", "cookie", "cookies"]
    private static let keyEndings = ["apikey", "secretkey", "accesskey", "privatekey", "authkey", "encryptionkey"]
    private static let authorizations: Set = ["auth", "authorization", "authentication", "basicauth", "httpauth"]

    /// Before `key`.
    private static let keyQualifiers: Set = [
        "api", "secret", "access", "private", "auth", "encryption", "signing", "master", "account", "storage", "deploy",
        "session",
        "shared", "license", "gpg", "webhook", "service", "server", "admin", "app", "application", "client",
        "subscription", "hmac",
        "aes", "crypto", "host", "write", "preshared", "psk",
    ]
    /// Before `tokens`, which are counted otherwise.
    private static let tokenQualifiers: Set = ["api", "auth", "access", "secret", "refresh", "bearer"]
    private static let quantities: Set = [
        "max", "min", "num", "count", "total", "per", "budget", "limit", "next", "pad", "stop",
    ]
    /// Before the name of an option that takes no value.
    private static let switches: Set = [
        "no", "ask", "prompt", "with", "without", "use", "skip", "require", "enable", "disable", "show", "print",
        "allow",
        "generate", "reset", "change", "check", "verify", "hide", "mask", "force",
    ]
    /// After the word for a secret they name something about it: a file, a limit, a method.
    private static let qualifiers: Set = [
        "account", "age", "alg", "algorithm", "all", "aud", "audience", "backend", "budget", "cache", "check", "class",
        "cmd",
        "column", "command", "config", "configuration", "count", "counts", "description", "dir", "directory",
        "disabled", "domain",
        "duration", "enabled", "endpoint", "env", "expiration", "expires", "expiry", "fd", "field", "file", "files",
        "folder",
        "format", "group", "groups", "header", "headers", "helper", "hint", "host", "id", "identifier", "ids", "index",
        "interval",
        "issuer", "jar", "kind", "label", "len", "length", "lifetime", "limit", "limits", "manager", "map", "method",
        "methods",
        "mode", "module", "name", "names", "namespace", "only", "path", "paths", "plugin", "policies", "policy", "port",
        "prefix",
        "process", "prompt", "provider", "providers", "realm", "ref", "reference", "required", "role", "rotation",
        "scope",
        "scopes", "separator", "server", "size", "sock", "socket", "source", "src", "status", "stdin", "store",
        "strategy",
        "strength", "suffix", "template", "through", "timeout", "ttl", "type", "types", "uri", "url", "usage", "user",
        "username",
        "var", "variable", "version", "window",
    ]
}

/// Values that a secret's name may have and that tell nothing.
enum HarmlessValue {
    static func matches(_ value: [UInt8], _ kind: SecretKind) -> Bool {
        // Longer than any of the words below.
        let text = String(decoding: value.prefix(32), as: UTF8.self).lowercased()
        if literals.contains(text) || pointers.contains(where: { text.hasPrefix($0) }) { return true }
        switch kind {
        case .password: return false
        case .key: return paths.contains(where: { text.hasPrefix($0) })
        case .authorization: return paths.contains(where: { text.hasPrefix($0) }) || methods.contains(text)
        }
    }

    /// Whether a shell would put the value in: `$NAME`, `${NAME}`, `$(command)`, one or several.
    static func isReference(_ value: [UInt8]) -> Bool {
        var index = 0
        while index < value.count {
            if value[index] == UInt8(ascii: "`") { return true }
            guard value[index] == UInt8(ascii: "$"), index + 1 < value.count else { return false }
            let next = value[index + 1]
            if next == UInt8(ascii: "(") { return true }
            if next == UInt8(ascii: "{") {
                index = value.end(of: index, while: { $0 != UInt8(ascii: "}") }) + 1
            } else if next.isLetter || next == UInt8(ascii: "_") {
                index = value.end(of: index + 1, while: { $0.isAlphanumeric || $0 == UInt8(ascii: "_") })
            } else if next.isDigit || "@*#?!$".utf8.contains(next) {
                index += 2
            } else {
                return false
            }
        }
        return true
    }

    /// A word of prose, perhaps with punctuation: `the --token option.`
    static func isPlainWord(_ value: [UInt8]) -> Bool {
        let letters = value.end(of: 0, while: { $0.isLetter || $0 == 0x2D })
        let rest = value[letters...]
        return letters > 0 && rest.count <= 2 && rest.allSatisfy({ ".,;:!?)".utf8.contains($0) })
            && value[1..<letters].allSatisfy({ !$0.isUpper })
    }

    private static let literals: Set = [
        "", "-", "true", "false", "yes", "no", "none", "null", "nil", "stdin", "prompt",
    ]
    private static let pointers = ["file:", "env:", "fd:", "@/", "@./", "id=", "type=", "src="]
    private static let paths = ["/", "./", "../", "~/", "@"]
    private static let methods: Set = [
        "basic", "digest", "bearer", "oauth", "oauth2", "ntlm", "negotiate", "anonymous", "default", "any", "token",
        "ldap", "kerberos",
        "plain", "login", "cram-md5", "required", "optional", "on", "off", "password", "publickey",
    ]
}
