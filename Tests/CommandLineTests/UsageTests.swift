import TestSupport
import Testing

@Suite("the command line is read by its verb's parser, and what that one does not take by the whole one")
struct UsageTests {
    @Test(
        "help and versions are bulla's, wherever they are asked for",
        arguments: [
            (["--version"], "bulla 0."), (["append", "--version"], "bulla 0."), (["append", "--help"], "USAGE: bulla append "),
            (["help", "append"], "USAGE: bulla append "), (["key", "rotate", "-h"], "USAGE: bulla key rotate "),
            (["append", "--generate-completion-script", "bash"], "complete -o filenames -F _bulla bulla"),
        ])
    func help(arguments: [String], words: String) throws {
        let answer = try Program.bulla(arguments).run()
        #expect(answer.code == 0)
        #expect(answer.output.contains(words))
        #expect(answer.error.isEmpty)
    }

    @Test(
        "what is refused names the verb as it is called",
        arguments: [
            (["append", "--nonsense"], "Usage: bulla append "), (["key", "nonsense"], "Usage: bulla key "),
            (["nonsense"], "Usage: bulla "), (["record", "--actor", "user:ada", "true"], "Usage: bulla record "),
        ])
    func refusal(arguments: [String], words: String) throws {
        let answer = try Program.bulla(arguments).run()
        #expect(answer.code == 64)
        #expect(answer.error.contains(words))
        #expect(answer.output.isEmpty)
    }
}
