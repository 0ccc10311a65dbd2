/// Who had traumas, and what there is for him to learn.
package struct Learner: Sendable, Equatable, Codable {
    /// `kind:name`; the beginning of a very long one.
    package let name: String
    package internal(set) var traumaCount: UInt64 = 0
    package internal(set) var lessonCount: UInt64 = 0
    /// The newest ones, the oldest of them first.
    package internal(set) var lessons: [Taught] = []
    /// Rises with what is recorded of him.
    var order: UInt64 = 0

    /// A lesson, by the beginning of its text.
    package struct Taught: Sendable, Equatable, Codable {
        /// Of the entry that says it.
        package let seq: UInt64
        package let signature: Signature
        package let text: String
    }

    /// So many lessons are kept of one; the entries hold all.
    package static let lessonCountMax = 5

    init(_ name: String) { self.name = name }

    mutating func take(_ lesson: String, _ signature: Signature, _ seq: UInt64) {
        lessonCount += 1
        lessons.append(Taught(seq: seq, signature: signature, text: Brief.text(lesson)))
        if lessons.count > Self.lessonCountMax { lessons.removeFirst() }
    }
}
