import ArgumentParser

/// The verbs, in the order in which the help names them.
///
/// A verb's parser is found by its name here: to look for it among the configurations would make those of all verbs before it.
enum Verb: String, CaseIterable {
    case `init`, append, ingest, record, log, show, verify, receipt, status, top, inspect, doctor
    case state, restore, snapshot, audit, run, key
    case lane, learn, patch, actor, associate, constitution, alert, repair, backup, archive, anchor

    var command: any ParsableCommand.Type {
        switch self {
        case .`init`: InitCommand.self
        case .append: AppendCommand.self
        case .ingest: IngestCommand.self
        case .record: RecordCommand.self
        case .log: LogCommand.self
        case .show: ShowCommand.self
        case .verify: VerifyCommand.self
        case .receipt: ReceiptCommand.self
        case .status: StatusCommand.self
        case .top: TopCommand.self
        case .inspect: InspectCommand.self
        case .doctor: DoctorCommand.self
        case .state: StateCommand.self
        case .restore: RestoreCommand.self
        case .snapshot: SnapshotCommand.self
        case .audit: AuditCommand.self
        case .run: RunCommand.self
        case .key: KeyCommand.self
        case .lane: LaneCommand.self
        case .learn: LearnCommand.self
        case .patch: PatchCommand.self
        case .actor: ActorCommand.self
        case .associate: AssociateCommand.self
        case .constitution: ConstitutionCommand.self
        case .alert: AlertCommand.self
        case .repair: RepairCommand.self
        case .backup: BackupCommand.self
        case .archive: ArchiveCommand.self
        case .anchor: AnchorCommand.self
        }
    }
}

extension CommandConfiguration {
    /// A verb of Bulla's.
    ///
    /// It says what stands before its name. So a verb that is parsed alone is called as users call it, and is not first parsed, twice,
    /// as a request for completions, which is made of the whole program.
    init(
        _ verb: Verb, abstract: String, discussion: String = "", subcommands: [any ParsableCommand.Type] = [],
        defaultSubcommand: (any ParsableCommand.Type)? = nil
    ) {
        self.init(
            commandName: verb.rawValue, _superCommandName: "bulla", abstract: abstract, discussion: discussion,
            subcommands: subcommands, defaultSubcommand: defaultSubcommand)
    }
}
