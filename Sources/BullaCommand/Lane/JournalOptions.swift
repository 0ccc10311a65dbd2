import ArgumentParser
import CanonicalJSON
import Lanes
import Ledger

/// Which journal.
struct JournalPlace: ParsableArguments {
    @Option(
        help: ArgumentHelp("The journal (default: $DISPATCH_LANE_JOURNAL_PATH, or .dos/lane-journal.jsonl).", valueName: "path"))
    var file: String?

    func validate() throws {
        if file?.isEmpty == true { throw ValidationError("--file names no journal") }
    }

    var journal: JournalFile {
        let variables = ["DISPATCH_LANE_JOURNAL_PATH", "JOB_LANE_JOURNAL_PATH"]
        return JournalFile(file ?? variables.lazy.compactMap(LedgerOptions.variable).first ?? ".dos/lane-journal.jsonl")
    }
}

/// What every verb takes that is about a journal alone.
struct JournalOptions: ParsableArguments {
    @OptionGroup var place: JournalPlace

    @Flag(help: "Print one JSON value.")
    var json = false

    var journal: JournalFile { place.journal }
}

/// What only the verbs take whose answers the reference gives too.
struct CompatibilityOptions: ParsableArguments {
    @Flag(name: .customLong("compat"), help: "Answer byte for byte as dos-kernel 0.22.0, also where it errs.")
    var isCompatible = false

    var printer: JournalPrinter { JournalPrinter(isCompatible: isCompatible) }
}

/// Prints what stands in journals.
struct JournalPrinter {
    /// Whether it must be as the reference writes it, also what a terminal would obey.
    var isCompatible = false

    /// Prints values, one a line, or as one array.
    func print(_ values: [PythonObject], asArray: Bool) {
        let values = values.map(PythonJSON.object)
        if asArray { return print(.array(values)) }
        for value in values { print(value) }
    }

    func print(_ value: PythonJSON) { write(value.dumped(keepsOnOneLine: !isCompatible) + [0x0A]) }

    /// Prints JSON text.
    func write(_ text: [UInt8]) { Output.write(isCompatible ? text : Printable.json(lines: text)) }
}
