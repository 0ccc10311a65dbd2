import BullaCommand
import CanonicalJSON
import DurableFiles
import LedgerFormat
import Testing

// Lines of logs become bodies: bytes in, JSON out.
@Suite("Formats of logs")
struct LogFormatTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var format: LogFormat
        var line: [UInt8]
        /// Canonical JSON; nil for a refusal.
        var body: String?
        var offset = 0
        var words = ""

        var testDescription: String { "\(format): \(String(decoding: line, as: UTF8.self).prefix(80))" }

        init(_ format: LogFormat, _ line: String, _ body: String) { self.init(format, Array(line.utf8), body) }

        init(_ format: LogFormat, _ line: [UInt8], _ body: String) {
            self.format = format
            self.line = line
            self.body = body
        }

        /// A line that is refused at a byte.
        init(_ format: LogFormat, _ line: String, at offset: Int, _ words: String) {
            self.format = format
            self.line = Array(line.utf8)
            self.offset = offset
            self.words = words
        }
    }

    static let json: [Case] = [
        Case(.jsonl, #" { "b" : 1.50, "a":{"é":[null,true]} }"# + "\r", #"{"a":{"é":[null,true]},"b":1.5}"#),
        Case(.jsonl, "{}", "{}"),
        Case(.jsonl, "[]", at: 0, "not a JSON object"), Case(.jsonl, "7", at: 0, "not a JSON object"),
        Case(.jsonl, #"{"a":1,"a":2}"#, at: 7, "repeats a key"), Case(.jsonl, #"{"a":1} x"#, at: 8, ""),
        Case(.jsonl, #"{"a":"\ud800"}"#, at: 6, "surrogate"), Case(.jsonl, #"{"n":9007199254740993}"#, at: 5, ""),
        Case(.jsonl, #"{"n":NaN}"#, at: 5, ""), Case(.jsonl, #"{"a":"#, at: 5, ""),
        Case(.jsonl, String(repeating: #"{"a":"#, count: 48) + "1" + String(repeating: "}", count: 48), at: 235, "deep"),
    ]

    static let logfmt: [Case] = [
        Case(.logfmt, "level=info msg=\"a b\" n=1", #"{"level":"info","msg":"a b","n":"1"}"#),
        Case(.logfmt, "  a  b=\tc= \r", #"{"a":true,"b":"","c":""}"#),
        Case(.logfmt, "a=1 a=2 a", #"{"a":["1","2",true]}"#),
        Case(.logfmt, #"a="\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00" b="""#, #"{"a":"\"\\/\b\f\n\r\té😀","b":""}"#),
        Case(.logfmt, #"a="\a\v\x1b\U0001f600'\'""#, #"{"a":"\u0007\u000b\u001b😀''"}"#),
        Case(.logfmt, "url=http://x/?a=b&c=d é.ü=ö", #"{"url":"http://x/?a=b&c=d","é.ü":"ö"}"#),
        Case(.logfmt, "a=\"tab\there\"", #"{"a":"tab\there"}"#),
        Case(.logfmt, "just some words", #"{"just":true,"some":true,"words":true}"#),
        Case(.logfmt, "a =b", at: 2, "no key"), Case(.logfmt, "=b", at: 0, "no key"),
        Case(.logfmt, "a\"b=c", at: 1, "in a key"), Case(.logfmt, "\"a\"=c", at: 0, "in a key"),
        Case(.logfmt, "a=b\"c", at: 3, "does not begin with one"), Case(.logfmt, "x a=\"b", at: 4, "not closed"),
        Case(.logfmt, "a=\"b\\\"", at: 2, "not closed"), Case(.logfmt, "a=\"b\\", at: 4, "no end"),
        Case(.logfmt, "a=\"b\"c", at: 5, "something else than a blank"),
        Case(.logfmt, #"a="\q""#, at: 3, "no character"), Case(.logfmt, #"a="\ud800x""#, at: 3, "no character"),
        Case(.logfmt, #"a="\ud800\u0041""#, at: 3, "no character"), Case(.logfmt, #"a="\xff""#, at: 3, "no character"),
        Case(.logfmt, #"a="\u12""#, at: 3, "no character"), Case(.logfmt, #"a="\Uffffffff""#, at: 3, "no character"),
    ]

    static let modernSyslog: [Case] = [
        Case(
            .syslog, "<34>1 2003-10-11T22:14:15.003Z host.example su - ID47 - 'su root' failed",
            #"{"app":"su","facility":"auth","format":"rfc5424","host":"host.example","message":"'su root' failed","msgid":"ID47","severity":"crit","timestamp":"2003-10-11T22:14:15.003Z"}"#
        ),
        Case(.syslog, "<0>1 - - - - - -", #"{"facility":"kern","format":"rfc5424","severity":"emerg"}"#),
        Case(
            .syslog, "<191>1 2003-08-24T05:14:15.000003-07:00 h a 8710 - - \u{FEFF}é",
            #"{"app":"a","facility":"local7","format":"rfc5424","host":"h","message":"é","procid":"8710","severity":"debug","timestamp":"2003-08-24T05:14:15.000003-07:00"}"#
        ),
        Case(
            .syslog, #"<165>1 - - - - - [a@1 x="1" y="\"\\\]\n" x="2"][b] m"#,
            #"{"data":{"a@1":{"x":["1","2"],"y":"\"\\]\\n"},"b":{}},"facility":"local4","format":"rfc5424","message":"m","severity":"notice"}"#
        ),
        Case(
            .syslog, Array("<13>1 - - - - - - a".utf8) + [0xFF],
            #"{"facility":"user","format":"rfc5424","message":"a�","message_base64":"Yf8=","severity":"notice"}"#),
        // What only looks so is kept whole.
        Case(.syslog, "<13>1 - - - - - [a x=\"1] m", #"{"format":"raw","message":"<13>1 - - - - - [a x=\"1] m"}"#),
        Case(.syslog, "<13>1 - - - - - [a][a] m", #"{"format":"raw","message":"<13>1 - - - - - [a][a] m"}"#),
        Case(.syslog, "<13>1 yesterday - - - - - m", #"{"format":"raw","message":"<13>1 yesterday - - - - - m"}"#),
        Case(.syslog, "<13>1 - - - - -", #"{"format":"raw","message":"<13>1 - - - - -"}"#),
        Case(.syslog, "<13>2 - - - - - - m", #"{"format":"raw","message":"<13>2 - - - - - - m"}"#),
    ]

    static let oldSyslog: [Case] = [
        Case(
            .syslog, "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
            #"{"app":"su","facility":"auth","format":"rfc3164","host":"mymachine","message":"'su root' failed","severity":"crit","timestamp":"Oct 11 22:14:15"}"#
        ),
        Case(
            .syslog, "<30>Jan  2 03:04:05 host postfix/smtpd[123]: [::1]: connect",
            #"{"app":"postfix/smtpd","facility":"daemon","format":"rfc3164","host":"host","message":"[::1]: connect","procid":"123","severity":"info","timestamp":"Jan  2 03:04:05"}"#
        ),
        Case(
            .syslog, "Jan 02 03:04:05.678 h kernel: x",
            #"{"app":"kernel","format":"rfc3164","host":"h","message":"x","timestamp":"Jan 02 03:04:05.678"}"#),
        Case(
            .syslog, "2024-01-31T12:00:00.123456+01:00 h app[7]:",
            #"{"app":"app","format":"rfc3164","host":"h","message":"","procid":"7","timestamp":"2024-01-31T12:00:00.123456+01:00"}"#
        ),
        Case(
            .syslog, "<13>Jan  2 03:04:05 tag[9]: no host",
            #"{"app":"tag","facility":"user","format":"rfc3164","message":"no host","procid":"9","severity":"notice","timestamp":"Jan  2 03:04:05"}"#
        ),
        Case(
            .syslog, "<13>Jan  2 03:04:05 2001:db8::1 no tag here: x",
            #"{"facility":"user","format":"rfc3164","host":"2001:db8::1","message":"no tag here: x","severity":"notice","timestamp":"Jan  2 03:04:05"}"#
        ),
        Case(
            .syslog, "<13>Jan  2 03:04:05 h",
            #"{"facility":"user","format":"rfc3164","host":"h","severity":"notice","timestamp":"Jan  2 03:04:05"}"#),
        Case(.syslog, "<192>Oct 11 22:14:15 h t: m", #"{"format":"raw","message":"<192>Oct 11 22:14:15 h t: m"}"#),
        Case(.syslog, "<013>Oct 11 22:14:15 h t: m", #"{"format":"raw","message":"<013>Oct 11 22:14:15 h t: m"}"#),
        Case(.syslog, "Oct 32 22:14:15 h t: m", #"{"format":"raw","message":"Oct 32 22:14:15 h t: m"}"#),
        Case(.syslog, "okt 11 22:14:15 h t: m", #"{"format":"raw","message":"okt 11 22:14:15 h t: m"}"#),
        Case(.syslog, "\tat Main.java:7", #"{"format":"raw","message":"\tat Main.java:7"}"#),
        Case(.syslog, [0x80, 0x61], #"{"format":"raw","message":"�a","message_base64":"gGE="}"#),
        Case(.syslog, "", #"{"format":"raw","message":""}"#),
        Case(.raw, [0x61, 0x0D], #"{"line":"a\r"}"#), Case(.raw, [0xFF], #"{"line":"�","line_base64":"/w=="}"#),
    ]

    @Test("each rule: the body, or the byte at which it is none", arguments: json + logfmt + modernSyslog + oldSyslog)
    func rule(_ rule: Case) {
        do throws(LineError) {
            let body = try rule.format.body(of: rule.line)
            #expect(JSON.object(body).canonicalText == rule.body)
        } catch {
            #expect(rule.body == nil, "\(error)")
            #expect(error.offset == rule.offset && error.reason.contains(rule.words), "\(error.offset): \(error)")
        }
    }

    @Test("bytes that are no UTF-8 are refused where they stand", arguments: [LogFormat.jsonl, .logfmt])
    func noText(format: LogFormat) {
        let line = Array(#"{"a":"é"#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8)
        let error = #expect(throws: LineError.self) { try format.body(of: line) }
        #expect(error?.offset == 8 && error?.column(in: line) == 8)
    }

    @Test("every facility and severity has its name")
    func priorities() throws {
        var names: Set<String> = []
        for number in 0..<192 {
            let body = try LogFormat.syslog.body(of: Array("<\(number)>1 - - - - - -".utf8))
            let facility = try #require(body["facility"]?.string), severity = try #require(body["severity"]?.string)
            names.insert(facility + "." + severity)
        }
        #expect(names.count == 192)
    }

    /// Lines from which chance makes others.
    private static let samples = (json + logfmt + modernSyslog + oldSyslog).map(\.line)

    @Test("any bytes give a body that a draft may have, or a refusal with a position: never a trap", arguments: 0..<8)
    func anyBytes(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        for round in 0..<500 {
            var line = Self.samples[generator.below(Self.samples.count)]
            switch generator.below(3) {
            case 0: line = (0..<generator.below(60)).map { _ in UInt8(generator.below(256)) }
            case 1:
                for _ in 0...generator.below(4) where !line.isEmpty {
                    line[generator.below(line.count)] = UInt8(generator.below(256))
                }
            default:
                let other = Self.samples[generator.below(Self.samples.count)]
                line = Array(line.prefix(generator.below(line.count + 1)) + other.suffix(generator.below(other.count + 1)))
            }
            line.removeAll { $0 == 0x0A }
            for format in [LogFormat.jsonl, .logfmt, .syslog, .raw] {
                do throws(LineError) {
                    let body = JSON.object(try format.body(of: line))
                    let read = try? JSON(parsing: body.canonicalBytes(), maximumDepth: Limits.draftDepth - 1)
                    #expect(read == body, "seed \(seed), round \(round), \(format)")
                } catch {
                    #expect((0...line.count).contains(error.offset) && !error.reason.isEmpty, "seed \(seed), round \(round)")
                    #expect(format == .jsonl || format == .logfmt)
                }
            }
        }
    }
}

@Suite("Secrets in lines of logs")
struct LogRedactionTests {
    private let redactor = Redactor { "d\($0.count)" }

    @Test(
        "values under the names of secrets and known shapes anywhere are replaced, all else stays",
        arguments: [
            (#"{"password":"hunter2","user":"ada"}"#, #"{"password":"[redacted:d7]","user":"ada"}"#),
            (#"{"a":{"api_key":["k1","k22"],"pin":1}}"#, #"{"a":{"api_key":["[redacted:d2]","[redacted:d3]"],"pin":1}}"#),
            (#"{"password":1234,"secret":true,"token":null}"#, #"{"password":"[redacted:d4]","secret":true,"token":null}"#),
            (#"{"msg":"login with password=hunter2 failed"}"#, #"{"msg":"login with password=[redacted:d7] failed"}"#),
            (#"{"url":"https://ada:lovelace@example.com/"}"#, #"{"url":"https://ada:[redacted:d8]@example.com/"}"#),
            (#"{"password":"[redacted:d7]","x":"[redacted:d7]"}"#, #"{"password":"[redacted:d7]","x":"[redacted:d7]"}"#),
            (#"{"n":12,"tokens":12,"message":"the token was fine"}"#, #"{"message":"the token was fine","n":12,"tokens":12}"#),
        ])
    func values(before: String, after: String) throws {
        let object = try #require(try JSON(parsing: Array(before.utf8)).object)
        #expect(JSON.object(redactor.redact(object)).canonicalText == after)
    }

    @Test("a key that is a secret is replaced, and no value is lost when two become one")
    func keys() throws {
        let tokens = ["a", "b"].map { "ghp_" + String(repeating: $0, count: 24) }
        let object = JSONObject(tokens.map { ($0, .string("value of " + $0.suffix(1))) })
        let redacted = redactor.redact(object)
        #expect(redacted.keys == ["[redacted:d28]", "[redacted:d28]+"])
        #expect(redacted["[redacted:d28]"] == "value of a" && redacted["[redacted:d28]+"] == "value of b")
    }
}
