import Testing

import BullaCommand

/// FNV-1a: equal for equal secrets, and no more is needed here.
private func digest(_ secret: [UInt8]) -> String {
    String(secret.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }, radix: 16)
}

private var redactor: Redactor { Redactor(digest: digest) }

private func marker(_ secret: String) -> String { "[redacted:\(digest(Array(secret.utf8)))]" }

/// Shaped like tokens of services, but put together here: no scanner of this repository shall take them for real ones.
private let github = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0hJ3lM6"
private let webToken = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxIn0.c2lnbmF0dXJl-_x"
private let privateKey =
    "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIBOgIBAAJBAK\nj34G==\n-----END RSA PRIVATE " + "KEY-----"

/// Arguments in which `«…»` marks what must be replaced, and nothing else may be.
private let secretCases: [[String]] = [
    // Options and their values
    ["app", "--password=«hunter2»"],
    ["app", "--password", "«hunter2»", "--verbose"],
    ["app", "--password=«two words; and=more»"],
    ["app", "--token", "«abc»"], ["app", "--api-key=«k1»"], ["app", "--api_key", "«k1»"], ["app", "--apiKey=«k1»"],
    ["app", "--APIKey=«k1»"], ["app", "--secret", "«s»"], ["app", "--client-secret=«s»"],
    ["app", "--clientSecret", "«s»"],
    ["app", "--passphrase", "«p q»"], ["app", "--auth=«user:pw»"], ["app", "--auth-token", "«t»"],
    ["app", "--credential=«c»"],
    ["app", "--credentials", "«c»"], ["app", "--private-key=«MIIE»"], ["app", "-password", "«x1»"],
    ["app", "--passwd=«x1»"],
    ["app", "--access-token=«t»"], ["app", "--secret-access-key", "«k/+=»"], ["app", "--jwt=«t»"],
    ["app", "--db-password2=«x»"],
    ["app", "--password=«pa&ss,w;rd»"], ["app", "--token=«$notexpanded»"],
    ["aws", "configure", "set", "aws_secret_access_key", "«wJalr»"],
    ["openssl", "rsa", "-passin", "pass:«word»"],
    // Environment
    ["env", "AWS_SECRET_ACCESS_KEY=«wJalr/XUt+»", "PGPASSWORD=«pg»", "HOME=/root", "sh"],
    ["docker", "run", "-e", "MYSQL_ROOT_PASSWORD=«r00t»", "-e", "TZ=UTC", "mysql"],
    ["docker", "run", "-eAPI_KEY=«x»", "--env=DB_PASS=«y»", "image"],
    ["java", "-Ddb.password=«x»", "-DAPI_KEY=«y»", "-Dfile.encoding=UTF-8"],
    ["cmake", "-DTOKEN=«x»"], ["make", "NPM_TOKEN=«x y»"],
    ["kubectl", "create", "secret", "generic", "db", "--from-literal=password=«x»"],
    ["npm", "config", "set", "//registry.example/:_authToken=«x»"],
    ["mount", "-o", "username=ada,password=«x»,vers=3.0", "//host/share"],
    // Commands
    ["curl", "-u", "ada:«lovelace»", "https://example.com"], ["curl", "--user", "ada:«love:lace»"],
    ["curl", "-uada:«lovelace»"], ["curl", "-sSu", "ada:«x»"], ["/usr/bin/curl", "--proxy-user=ada:«x»"],
    ["curl", "-b", "session=«abc»"],
    ["mysql", "-uroot", "-p«s3cret»", "db"], ["mysqldump", "-p«s3cret»"], ["/opt/bin/mariadb", "-p«s3cret»"],
    ["docker", "exec", "db", "mysql", "-p«s3cret»"], ["sshpass", "-p", "«x»", "ssh", "host"],
    ["redis-cli", "-a", "«x»"],
    ["docker", "login", "-u", "ada", "-p", "«x»"],
    // Headers
    ["curl", "-H", "Authorization: Bearer «abc.def»"], ["curl", "-H", "authorization: Basic «YWRhOng=»"],
    ["curl", "--header", "X-Api-Key: «k»"], ["curl", "-HX-Auth-Token:«k»"], ["curl", "-H", "Cookie: «a=b; c=d»"],
    ["curl", "--header=Private-Token: «k1»"], ["curl", "-H", "Authorization: «raw1»"],
    // URLs
    ["git", "clone", "https://ada:«lovelace»@example.com/r.git"],
    ["psql", "postgres://u:«p@ss»@db:5432/x?sslmode=require"],
    ["git", "clone", "https://«0123456789abcdef0123»@example.com/r.git"],
    ["curl", "https://example.com/a?token=«abc»&page=2"], ["curl", "https://x.y/?page=1&api_key=«k»#top"],
    ["curl", "https://x.blob/c?sv=1&sig=«a%2Fb»"], ["open", "https://x.y/cb#access_token=«t»&state=1"],
    ["curl", "-d", "user=ada&password=«x»&submit=1", "https://x.y"],
    ["curl", "-d", #"{"user":"ada","password":"«x y»","n":1}"#], ["curl", "-d", #"{"apiKey": "«k»"}"#],
    // Shapes
    ["echo", "«\(github)»"], ["echo", "key is «\(github)», use it"],
    ["echo", "«github_pat_11ABCDEFG0abcdefghij_KLMNOP»"],
    ["echo", "«glpat-abcdefghij0123456789»"], ["echo", "«xoxb-123456789012-abcdefABCDEF»"],
    ["echo", "«AKIAIOSFODNN7EXAMPLE»"],
    ["echo", "«ASIAIOSFODNN7EXAMPLE»"], ["echo", "«AIzaSyA1234567890abcdefghijklmnopqrstuv»"],
    ["echo", "«sk-ant-api03-abcdefghij0123456789»"], ["echo", "«sk-proj-abcdefghij0123456789»"],
    ["echo", "«sk_" + "live_abcdefghij0123456789»"], ["echo", "«rk_" + "live_abcdefghij0123456789»"],
    ["echo", "«npm_abcdefghijklmnopqrstuvwxyz0123456789»"], ["echo", "x=«\(webToken)»;"],
    ["echo", "a\n«\(privateKey)»\nb"],
    // Scripts
    ["sh", "-c", #"curl -H "Authorization: Bearer «x»" https://e.x"#],
    ["bash", "-lc", "TOKEN=«abc» ./deploy --fast && echo done"],
    ["sh", "-c", "app --password «secret» --verbose; other --token '«a b»'"],
    ["sh", "-c", "mysql -u root -p«pw» db | tee out"],
    ["sh", "-c", "export API_KEY=\"«k v»\"; run"], ["ssh", "host", "curl -u ada:«x» https://e.x"],
    ["ssh", "host", "sh -c 'app --token «deep» x'"], ["sh", "-c", "PASSWORD='«$literal»' app"],
    ["sh", "-c", #"curl -d "{\"password\":\"«x»\"}" https://e.x"#],
    ["python", "-c", "connect(password='«x y»', user='ada')"],
    ["python", "-c", "token = \"«x»\""], ["sh", "-c", "curl https://ada:«pw»@e.x/ -o f"],
    ["sh", "-c", "export A=1\nexport GITHUB_TOKEN=«t1»\necho $A"],
]

private let harmlessCases: [[String]] = [
    ["git", "checkout", "0123456789abcdef0123456789abcdef01234567"], ["cat", "/etc/passwd", "./token/secret.txt"],
    ["llm", "--token-limit", "100"], ["app", "--password-file", "/run/secrets/pw"],
    ["app", "--password-file=/run/secrets/pw"],
    ["llm", "--max-tokens=5"], ["llm", "--max-tokens", "5"], ["llm", "--max_new_tokens=5", "--num-tokens", "3"],
    ["llm", "--tokens", "12"],
    ["app", "key=value", "--key=name", "--sort-key", "date"], ["app", "--password=", "--token="], ["app", "PASSWORD="],
    ["docker", "login", "--password-stdin"], ["app", "--password", "--verbose"], ["app", "--no-password", "file"],
    ["app", "--ask-password", "file"], ["git", "commit", "--author", "Ada <ada@example.com>"],
    ["git", "log", "--author=Ada"],
    ["env", "GIT_AUTHOR_NAME=Ada", "PWD=/home/ada", "OLDPWD=/", "SSH_AUTH_SOCK=/tmp/agent.1"],
    ["app", "--token-type=bearer", "--auth-method", "basic", "--auth=basic", "--secret-name=db"],
    ["app", "--credentials=/etc/app.json", "--private-key", "./id_rsa", "--private-key=~/.ssh/id"],
    ["env", "GOOGLE_APPLICATION_CREDENTIALS=/etc/g.json", "TOKENIZERS_PARALLELISM=false"],
    ["docker", "run", "--user", "1000:1000", "-p", "8080:80", "registry/auth:1.2"],
    ["git", "push", "-u", "origin", "main"],
    ["mysql", "-p", "db"], ["mkdir", "-p", "a/b"], ["cp", "-pr", "a", "b"], ["ssh", "-p2222", "host"],
    ["git", "clone", "git@github.com:a/b.git"], ["git", "clone", "ssh://git@example.com:22/a.git"],
    ["curl", "https://example.com/a?page=1&sort=key", "-H", "Accept: application/json"], ["curl", "-u", "ada"],
    ["curl", "-u", "ada:"],
    ["git", "commit", "-m", "Explain the --token option and why the password: field is empty"],
    ["git", "commit", "-m", "auth: fix the token refresh; secret: none"],
    ["sh", "-c", "app --password \"$PASSWORD\" --token $TOKEN --auth ${AUTH}"],
    ["sh", "-c", "curl -u \"ada:$PW\" https://u:$PW@e.x"],
    ["sh", "-c", "curl -H \"Authorization: Bearer $TOKEN\" https://e.x"],
    ["sh", "-c", "TOKEN=$(cat token.txt) run; echo \"$TOKEN\""],
    ["sh", "-c", "for token in a b; do echo $token; done"], ["grep", "-rn", "password", "src"],
    ["echo", "disk-some-long-kebab-name-2024-01-01"],
    ["echo", "npm_config_registry", "AKIA", "sk-learn", "eyJhb.eyx"],
    ["openssl", "rsa", "-passin", "file:/run/pw", "-passout", "env:PW"],
    ["docker", "build", "--secret", "id=npm,src=/run/npmrc", "."], ["pytest", "-k", "test_token and not secret"], [],
    [""], ["="], [":"],
    ["app", "--password"], ["-H"], ["sh", "-c", "'\"\\"],
    ["app", "--monkey=banana", "--keyboard=us", "--compass=north"],
]

@Suite struct RecordRedactorTests {
    @Test("The secret is replaced, and nothing else", arguments: secretCases)
    func secrets(_ marked: [String]) {
        let plain = marked.map { $0.filter { $0 != "«" && $0 != "»" } }
        #expect(redactor.redact(plain) == marked.map(expected))
    }

    @Test("What is no secret stays as it is", arguments: harmlessCases)
    func harmless(_ arguments: [String]) { #expect(redactor.redact(arguments) == arguments) }

    @Test("Equal secrets look equal wherever they stand, others do not")
    func equality() {
        let redacted = redactor.redact([
            "app", "--password=abc1", "TOKEN=abc1", "https://u:abc1@h/", "--token", "abc2", "-H",
            "Authorization: Bearer abc1",
        ])
        #expect(redacted.filter { $0.contains(marker("abc1")) }.count == 4)
        #expect(redacted.filter { $0.contains(marker("abc2")) }.count == 1)
    }

    @Test("What is redacted already stays", arguments: secretCases)
    func idempotence(_ marked: [String]) {
        let once = redactor.redact(marked.map { $0.filter { $0 != "«" && $0 != "»" } })
        #expect(redactor.redact(once) == once)
    }

    @Test("Of arguments put together at random, a second redaction changes nothing", arguments: 0..<16 as Range<UInt64>)
    func randomIdempotence(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let pieces = [
            "--password", "--token=", "TOKEN=", "=", ":", " ", " ", "'", "\"", "\\", "\n", "$", "${A}", "$(", ")", "`",
            "&", "?", ",", ";",
            "://", "@", "u:p@", "https://", "Authorization: Bearer ", "Cookie: ", "-H", "-c", "-u", "curl ", "mysql ",
            "-pX", "sh", "ssh",
            "abc", "é", "]", "[redacted:", "[redacted:12]", github, webToken, privateKey,
            "-----BEGIN PRIVATE " + "KEY-----", "{", "}",
            "\"password\":", "pass:", "set", "api_key ",
        ]
        for _ in 0..<100 {
            let arguments = (0..<(1 + next(5))).map { _ in
                (0..<next(9)).map { _ in pieces[next(pieces.count)] }.joined()
            }
            let once = redactor.redact(arguments)
            #expect(redactor.redact(once) == once, "\(arguments)")
            #expect(once.count == arguments.count)
            #expect(!once.joined().contains(github), "\(arguments)")
        }
    }

    /// The cases' notation with each secret replaced.
    private func expected(_ marked: String) -> String {
        var result = ""
        var rest = marked[...]
        while let open = rest.firstIndex(of: "«"), let close = rest.firstIndex(of: "»") {
            result += rest[..<open] + marker(String(rest[rest.index(after: open)..<close]))
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}
