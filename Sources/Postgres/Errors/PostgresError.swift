/// Why PostgreSQL, the way to it, or this module refused; never holds a password or a value of a statement.
package struct PostgresError: Error, Equatable, Sendable {
    package let kind: Kind
    /// The server's SQLSTATE; empty if it was not the server that said it.
    package let state: String
    /// One line.
    package let message: String
    /// The name of the statement that failed.
    package internal(set) var statement: String?
    /// The constraint or unique index that a row would have broken.
    package internal(set) var constraint: String?

    init(
        _ kind: Kind, _ message: String, state: String = "", statement: String? = nil,
        constraint: String? = nil
    ) {
        self.kind = kind
        self.state = state
        self.message = message
        self.statement = statement
        self.constraint = constraint
    }

    /// What a caller may do about it.
    package enum Kind: String, Sendable {
        /// Nothing of it stands: do the whole transaction again.
        case again
        /// It may stand or not: look before it is repeated.
        case unknownOutcome
        /// The server's disk is full.
        case full
        /// No server took a connection.
        case unavailable
        /// A table or a column is missing.
        case wrongSchema
        /// The server does not write: it was or became a standby.
        case readOnly
        /// The server refused, and would refuse it again.
        case refused
        /// libpq is not installed, or too old.
        case missingLibrary
        /// The URL, or what belongs to it, cannot be used.
        case badSettings
        /// Arguments that do not fit their statement; nothing was sent.
        case badArguments
        /// The server answered what was not asked, or too much.
        case badAnswer
        /// The session was closed.
        case closed
        /// More requests wait than the mailbox holds.
        case overloaded
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        let place = statement.map { " in \($0)" } ?? ""
        let rule = constraint.map { ", constraint \($0)" } ?? ""
        return "\(message) (\(state.isEmpty ? kind.rawValue : "SQLSTATE \(state)")\(rule))\(place)"
    }
}
