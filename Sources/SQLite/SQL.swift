/// The text of one SQL statement: a literal, so that nothing a user sent can become part of it.
///
/// String interpolation does not compile. Text put together by the program goes through `SQL(_:)`,
/// which is the place to look for in a review.
package struct SQL: Sendable, ExpressibleByStringLiteral {
    /// A literal is found again by its address, which costs no hashing; other text by its contents.
    enum Source: Sendable {
        case literal(StaticString)
        case text(String)
    }

    let source: Source

    package init(stringLiteral value: StaticString) {
        source = .literal(value)
    }

    /// SQL put together at run time, of parts that are the program's own.
    package init(_ text: String) {
        source = .text(text)
    }

    var text: String {
        switch source {
        case .literal(let literal): literal.description
        case .text(let text): text
        }
    }
}
