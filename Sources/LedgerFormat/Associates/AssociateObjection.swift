/// Why associates cannot be named so, or a signed request is not carried out.
package enum AssociateObjection: Error, Sendable, Equatable {
    /// It has not the form of a request, or of associates.
    case form
    case key(String, ActorKeyFault)
    /// The same key under two names, as it were: one key counts once.
    case named(ActorKey)
    case unnamed(ActorKey)
    case tooMany
    case threshold(Int, of: Int)
    /// Fewer would be left than must sign.
    case belowThreshold(left: Int, Int)
    case nobody
    case ledger(LedgerID)
    case verb(SignedRequest.Verb, wanted: SignedRequest.Verb)
    case suspended(by: UInt64)
    /// Another act came since, perhaps this request itself.
    case base(last: UInt64)
    case expired(Timestamp)
    case signedTwice(ActorKey)
    case stranger(ActorKey)
    case withdrawn(ActorKey)
    case signature(ActorKey)
    case tooFew(Int, of: Int)
    /// The release of another alert.
    case tip
    /// The release names others than are associates.
    case roster
    /// The release names another constitution than holds behind it.
    case otherConstitution
    /// The release behind a repair does not say which constitution will hold.
    case unnamedConstitution
    /// A constitution says how many must sign, and only another one changes it.
    case constitution(Int, Int)
    /// It lives longer than the articles let it, in hours.
    case life(Int)
    /// The articles are not what the text says.
    case text
    /// What is wrong with the text.
    case proposal(String)
    /// Somebody is enrolled as one of a class that the articles do not know.
    case classless(actor: String, String)
}

extension AssociateObjection: CustomStringConvertible {
    package var description: String {
        switch self {
        case .form: "it is no request that associates sign"
        case .key(let text, let fault): "the key \(text) is refused: \(fault)"
        case .named(let key): "the key \(key) is an associate's already: one key counts once, under whatever name"
        case .unnamed(let key): "the key \(key) is no associate's; `bulla associate list` shows them"
        case .tooMany: "a ledger has at most \(Associates.countMax) associates"
        case .threshold(let threshold, let count):
            count == 0
                ? "nobody is named, and somebody must be able to sign"
                : "\(threshold) of \(count) cannot be asked to sign: it takes 1 to \(count)"
        case .belowThreshold(let left, let threshold):
            "\(left) associate\(left == 1 ? "" : "s") would be left, and \(threshold) must sign: nobody could release the house any more; "
                + "add another one first, or let fewer sign first, by --threshold or by the constitution"
        case .nobody: "the ledger has no associates: they are named when it is made, with `bulla init --associate KEY`"
        case .ledger(let found): "the request is for another ledger, \(found)"
        case .verb(let found, let wanted): "the request was signed for \(found.rawValue), and not for \(wanted.rawValue)"
        case .suspended(let seq):
            "the repair in entry \(seq) has suspended all that associates may do, until they sign `bulla alert release`"
        case .base(let last):
            "the request does not follow the last act, entry \(last): it was carried out before, or another act came first; make a new one"
        case .expired(let time): "the request expired at \(time); make a new one"
        case .signedTwice(let key): "the key \(key) has signed twice, and counts once"
        case .stranger(let key): "the key \(key) has signed, and is no associate's"
        case .withdrawn(let key): "the key \(key) has signed, and was withdrawn: the entry that removed it was lost in a repair"
        case .signature(let key): "the signature is not that of \(key) over this request"
        case .tooFew(let count, let threshold): "\(count) of \(threshold) signatures are there"
        case .tip: "the request is for another alert: it names another last entry"
        case .roster: "the release names other keys, or another number of signatures, than the associates have"
        case .otherConstitution:
            "the release names another constitution than the one that holds behind it, which `bulla constitution show` names; make a new one"
        case .unnamedConstitution:
            "the release does not name the constitution that holds behind the repair: whoever signs it must see which; make a new one"
        case .constitution(let threshold, let adopted):
            "the constitution says that \(adopted) must sign, and not \(threshold): only the adoption of another one changes that"
        case .life(let hours):
            "a request lives for \(hours) hour\(hours == 1 ? "" : "s") at most (`bulla constitution show --articles`), and this one lives longer"
        case .text: "the articles of the request are not what its text says: whoever reads the text would sign something else"
        case .proposal(let fault): "the text of the request is no constitution: \(fault)"
        case .classless(let actor, let name):
            "\(actor) is enrolled as \(name), which the constitution does not name: it would be locked out; name that class, or \"*\" for "
                + "all others, or revoke its key first"
        }
    }
}
