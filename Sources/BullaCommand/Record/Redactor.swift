struct Redactor {
    init(digest: @escaping ([UInt8]) -> String) {}
    func redact(_ arguments: [String]) -> [String] { arguments }
}
