/// The text of one SQL statement: a literal, so that nothing a user sent can become part of it.
///
/// String interpolation does not compile. Text put together by the program goes through `SQL(_:)`,
/// which is the place to look for in a review.
package struct SQL: Sendable, ExpressibleByStringLiteral {
    /// A literal is found again by its address, which costs no hashing; other text by its contents.
    enum Source: Sendable {
        case literal(StaticString)
        case text(Text)
    }

    /// Hashed once, where it is put together.
    struct Text: Hashable, Sendable {
        let string: String
        private let hash: Int

        init(_ string: String) {
            self.string = string
            hash = string.hashValue
        }

        static func == (a: Text, b: Text) -> Bool { a.hash == b.hash && a.string == b.string }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }
    }

    let source: Source

    package init(stringLiteral value: StaticString) {
        source = .literal(value)
    }

    /// SQL put together at run time, of parts that are the program's own.
    package init(_ text: String) {
        source = .text(Text(text))
    }

    var text: String {
        switch source {
        case .literal(let literal): literal.description
        case .text(let text): text.string
        }
    }
}
