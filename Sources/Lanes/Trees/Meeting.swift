/// Whether two sequences of symbols can stand for the same, where some of the symbols stand for any run of others.
///
/// Exact, and mostly in linear time: two runs reach around whatever stands between them, so that only ends can differ. Only where
/// one of the two has runs, what stands between them is looked for in the other, from the left; what fits there leaves the most room.
///
/// - Parameters:
///   - count: so many symbols at the beginning are known to be no runs, and the same.
///   - isRun: the symbol stands for any number of things, also none.
///   - agree: two symbols that are no runs can stand for one and the same thing.
func meet<Symbol>(
    _ one: [Symbol], _ other: [Symbol], from count: Int = 0, _ effort: inout Effort, isRun: (Symbol) -> Bool,
    agree: (Symbol, Symbol, inout Effort) -> Bool
) -> Bool {
    // Up to the first run, and from the last one on, there is one way only, and most patterns part there.
    var (start, ends) = (count, (one: one.count, other: other.count))
    while start < min(ends.one, ends.other), !isRun(one[start]), !isRun(other[start]) {
        guard agree(one[start], other[start], &effort) else { return false }
        start += 1
    }
    while start < min(ends.one, ends.other), !isRun(one[ends.one - 1]), !isRun(other[ends.other - 1]) {
        ends = (ends.one - 1, ends.other - 1)
        guard agree(one[ends.one], other[ends.other], &effort) else { return false }
    }
    let (left, right) = (one[start..<ends.one], other[start..<ends.other])
    if left.isEmpty { return right.allSatisfy(isRun) }
    if right.isEmpty { return left.allSatisfy(isRun) }
    switch (left.contains(where: isRun), right.contains(where: isRun)) {
    // At either end one of them has a run, which takes what the other has there.
    case (true, true): return true
    case (true, false): return reaches(left, over: right, &effort, isRun: isRun) { agree($0, $1, &$2) }
    case (false, true): return reaches(right, over: left, &effort, isRun: isRun) { agree($1, $0, &$2) }
    case (false, false): preconditionFailure("symbols that are no runs were compared already")
    }
}

/// Whether what stands between the runs of `pattern`, which begins and ends with one, is found in `text`, in this order.
private func reaches<Symbol>(
    _ pattern: ArraySlice<Symbol>, over text: ArraySlice<Symbol>, _ effort: inout Effort, isRun: (Symbol) -> Bool,
    agree: (Symbol, Symbol, inout Effort) -> Bool
) -> Bool {
    var place = text.startIndex
    for part in pattern.split(whereSeparator: isRun) {
        while true {
            effort.spend(1)
            if effort.isSpent { return true }
            guard place + part.count <= text.endIndex else { return false }
            var matched = 0
            while matched < part.count, agree(part[part.startIndex + matched], text[place + matched], &effort) { matched += 1 }
            if matched == part.count { break }
            place += 1
        }
        place += part.count
    }
    return true
}
