/// A password, which shows nowhere: not when it is printed, logged or dumped with what holds it.
package struct Password: Sendable {
    private let text: String

    /// Throws if it is empty or holds a NUL, which the protocol cannot carry.
    package init(_ text: String) throws(PostgresError) {
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw PostgresError(.badSettings, "the database's password is empty or holds a NUL")
        }
        self.text = text
    }

    /// For libpq only.
    func withText<R>(_ body: (String) -> R) -> R { body(text) }

    /// The same without it.
    func hide(in words: String) -> String {
        words.contains(text) ? words.replacing(text, with: "(hidden)") : words
    }
}

extension Password: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(hidden)" }
    package var debugDescription: String { "(hidden)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
