import ArgumentParser
import CanonicalJSON
import Kernel
import Ledger
import LedgerFormat

struct PatchShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a patch: what it is for, what shows that it is wanted, and its diff.",
        discussion: """
            The digest of the diff is what associates sign. With --diff the diff alone is printed, byte by byte, so that anybody can compare \
            its SHA-256 with that of the request.

            Examples:
              bulla patch show 57
              bulla patch show 57 --diff | sha256sum
            """)

    @Argument(help: ArgumentHelp("The patch.", valueName: "patch"))
    var patch: UInt64

    @Flag(help: "Print the diff alone, as it is.")
    var diff = false

    @OptionGroup var archives: ArchiveOptions
    @OptionGroup var options: LedgerOptions

    func run() throws {
        let patches = try StateReading<Patches>(try options.storage()).fold.state
        let known = try patches.known(patch)
        let (proposal, evidence) = try LedgerView.asking(try archives.storage(of: options)) { view throws(LedgerError) in
            let entry = try EntryReader(view, .system).entry(patch)
            let body = (try? JSON(parsing: entry.body)) ?? .null
            guard let proposal = PatchProposal(body) else { throw LedgerError(.refused, "entry \(patch) proposes no patch") }
            var evidence: [Shown] = []
            for seq in proposal.evidence { evidence.append(Self.shown(seq, in: view)) }
            return (proposal, evidence)
        }
        if diff { return Output.write(Array(proposal.diff.utf8)) }
        let state = patches.state(of: known, on: options.shelf(try ConstitutionHouse(options).actors.articles))
        options.json ? printJSON(known, state, proposal, evidence) : printText(known, state, proposal, evidence)
    }

    /// A piece of evidence: its action, and its four sentences if it is a trauma; or why it cannot be read.
    private struct Shown {
        let seq: UInt64
        let title: String
        let sentences: [(name: String, text: String)]
    }

    private static func shown(_ seq: UInt64, in view: LedgerView) -> Shown {
        do throws(LedgerError) {
            let entry = try EntryReader(view, .system).entry(seq)
            let body = (try? JSON(parsing: entry.body)) ?? .null
            let names = ["trauma", "root_cause", "correction", "lesson"]
            let sentences = names.compactMap { name in body[name]?.string.map { (name, $0) } }
            return Shown(seq: seq, title: "\(entry.action) by \(entry.actor)", sentences: sentences)
        } catch {
            return Shown(seq: seq, title: error.message, sentences: [])
        }
    }

    private func printJSON(_ known: Patch, _ state: String, _ proposal: PatchProposal, _ evidence: [Shown]) {
        var object = known.json(state)
        object["diff"] = .string(proposal.diff)
        object["evidence"] = .array(
            evidence.map { shown in
                var item: JSONObject = ["entry": .string(shown.title), "seq": .number(Double(shown.seq))]
                for sentence in shown.sentences { item[sentence.name] = .string(sentence.text) }
                return .object(item)
            })
        Output.line(Printable.json(.object(object)))
    }

    private func printText(_ known: Patch, _ state: String, _ proposal: PatchProposal, _ evidence: [Shown]) {
        var lines = ["patch \(known.seq) of \(known.change.handbook): \(state)"]
        lines.append("proposed by \(known.author)\(known.signature.map { ", for traumas of \($0)" } ?? ""): \(known.reason)")
        if let act = known.act { lines.append("signed in entry \(act)") }
        if let rejection = known.rejection { lines.append("rejected in entry \(rejection)") }
        lines.append("base    sha256 \(known.change.base)")
        lines.append("result  sha256 \(known.change.result)")
        lines.append("diff    sha256 \(known.change.diff)")
        for shown in evidence {
            lines.append("evidence: entry \(shown.seq), \(shown.title)")
            lines += shown.sentences.map { "  \($0.name.replacing("_", with: " ")): \($0.text)" }
        }
        for line in lines { Output.line(Printable.text(line)) }
        Output.line("")
        for line in DiffText.lines(of: proposal.diff, isColoured: Output.stdoutColumns != nil) { Output.line(line) }
    }
}
