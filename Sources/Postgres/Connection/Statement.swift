/// A statement with the types of its parameters, which the server would otherwise guess.
///
/// In its text each parameter is written with its type too: `$1::bigint`.
package struct Statement: Sendable {
    /// For errors; for a kept one also what the server knows it by.
    package let name: String
    let text: String
    let parameters: [ValueType]
    /// Whether each connection prepares it once, and not for each call.
    let isKept: Bool

    /// One of the program's own, with a name that no other has.
    package init(_ name: StaticString, _ text: StaticString, _ parameters: ValueType...) {
        self.name = name.description
        self.text = text.description
        self.parameters = parameters
        isKept = true
    }

    /// One put together at run time, of parts that are the program's own; kept only if it is the same each time.
    package init(
        _ name: StaticString, assembled text: String, _ parameters: [ValueType] = [], isKept: Bool = false
    ) {
        self.name = name.description
        self.text = text
        self.parameters = parameters
        self.isKept = isKept
    }

    /// The server's name for it: a new one that is nameless takes the place of the last.
    var serverName: String { isKept ? name : "" }
}

/// A statement and what it is called with.
package struct Call: Sendable {
    let statement: Statement
    let arguments: Arguments

    package init(_ statement: Statement, _ arguments: Arguments = Arguments()) {
        self.statement = statement
        self.arguments = arguments
    }

    var defect: PostgresError? { arguments.defect(for: statement) }
}

/// How long a round trip may take and how many bytes may come back, before its connection is dropped.
package struct TripLimits: Sendable {
    package var milliseconds: Int
    /// As the socket counts them, to within a factor of two.
    package var bytes: Int

    /// Lists are read in pages, so that more is a fault.
    package init(milliseconds: Int = 30_000, bytes: Int = 64 << 20) {
        self.milliseconds = milliseconds
        self.bytes = bytes
    }
}
