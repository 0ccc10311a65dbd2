import DurableFiles

/// What the words so far say of the next one.
struct CommandContext {
    /// Where in a word a secret stands.
    enum Place {
        /// From this offset on.
        case secret(Int)
        /// A name, a separator and the secret, from this offset on.
        case pair(Int, UInt8)
    }

    private var names: Set<String> = []
    private var previous = ""
    private var previousPrevious = ""

    mutating func note(_ word: String) {
        if !word.hasPrefix("-") { names.insert(word.pathParts().last ?? word) }
        previousPrevious = previous
        previous = word
    }

    /// The kind of secret that the word before announces.
    var announced: SecretKind? {
        if previous.hasPrefix("-") {
            return previous.utf8.count > 2 && !previous.contains("=") && !previous.contains(" ")
                ? SecretName.kindOfNext(previous) : nil
        }
        // `aws configure set aws_secret_access_key …`
        return previousPrevious == "set" ? SecretName.kindOfNext(previous) : nil
    }

    var announcesHeader: Bool {
        ["-H", "--header", "--proxy-header", "--add-header", "--extra-header"].contains(previous)
    }

    /// Whether the next word, if it has blanks, is a script.
    var takesScript: Bool {
        let bytes = previous.utf8
        if bytes.first == UInt8(ascii: "-"), bytes.last == UInt8(ascii: "c"), bytes.count <= 6,
            bytes.dropFirst().allSatisfy(\.isLetter)
        {
            return true
        }
        return previous == "--command" || previous == "--shell-command" || !names.isDisjoint(with: Self.shells)
    }

    private static let shells: Set = ["ssh", "eval", "watch", "entr", "parallel", "rsh", "mosh"]

    /// Where the word has a secret by the rules of a command named before.
    func place(of word: String) -> Place? {
        for rule in Self.rules where !names.isDisjoint(with: rule.commands) {
            if let subcommand = rule.subcommand, !names.contains(subcommand) { continue }
            if let from = rule.start(of: word, after: previous) {
                return rule.separator.map { .pair(from, $0) } ?? .secret(from)
            }
        }
        return nil
    }

    private struct Rule {
        let commands: Set<String>
        var subcommand: String?
        let options: [String]
        /// Whether the value may be joined to the option.
        var isAttached = false
        /// Whether it may be a word of its own.
        var isSeparate = true
        var separator: UInt8?

        func start(of word: String, after previous: String) -> Int? {
            if isSeparate, options.contains(previous) || isCluster(previous) { return word.hasPrefix("-") ? nil : 0 }
            for option in options where isAttached && word.hasPrefix(option) {
                if option.hasPrefix("--") {
                    if word.hasPrefix(option + "=") { return option.utf8.count + 1 }
                } else if word.utf8.count > option.utf8.count {
                    return option.utf8.count
                }
            }
            return nil
        }

        /// `-su` is `-s -u`.
        private func isCluster(_ word: String) -> Bool {
            let letters = word.utf8.dropFirst()
            guard separator != nil, word.hasPrefix("-"), letters.count > 1, letters.allSatisfy(\.isLetter) else {
                return false
            }
            return options.contains("-" + String(word.suffix(1)))
        }
    }

    private static let rules: [Rule] = [
        Rule(
            commands: ["curl", "curlie"], options: ["-u", "-U", "--user", "--proxy-user"], isAttached: true,
            separator: UInt8(ascii: ":")),
        Rule(commands: ["curl", "curlie"], options: ["-b"], separator: UInt8(ascii: "=")),
        Rule(commands: ["http", "https", "xh"], options: ["-a"], separator: UInt8(ascii: ":")),
        Rule(
            commands: [
                "mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlshow", "mysqlcheck", "mariadb", "mariadb-dump",
                "mariadb-admin",
            ], options: ["-p"], isAttached: true, isSeparate: false),
        Rule(commands: ["7z", "7za", "7zz"], options: ["-p"], isAttached: true, isSeparate: false),
        Rule(commands: ["sshpass"], options: ["-p"], isAttached: true),
        Rule(commands: ["redis-cli"], options: ["-a"]),
        Rule(commands: ["zip", "unzip"], options: ["-P"]),
        Rule(commands: ["ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami"], options: ["-w"]),
        Rule(
            commands: ["docker", "podman", "nerdctl", "buildah", "helm", "skopeo", "crane"], subcommand: "login",
            options: ["-p"],
            isAttached: true),
        Rule(commands: ["smbclient", "rpcclient"], options: ["-U"], separator: UInt8(ascii: "%")),
    ]
}
