extension PostgresError {
    /// Wrong password or role, no entry in pg_hba.conf, no such database.
    fileprivate static let refusingStates: Set = ["28P01", "28000", "3D000"]

    /// Whether it was the connection that the server refused, and not what was asked.
    package var refusedConnection: Bool { kind == .refused && Self.refusingStates.contains(state) }
}

extension PostgresError.Kind {
    /// By the server's SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
    ///
    /// What ended a connection leaves the outcome unknown only if the server may have begun to commit; `mayHaveCommitted` is nil
    /// if the connection lives, and so nothing of what failed stands.
    init(state: String, mayHaveCommitted: Bool?) {
        switch state {
        // A serialization failure, a deadlock, a lock that was not to be had, a prepared statement that is gone, too long idle
        // in a transaction.
        case "40001", "40P01", "55P03", "26000", "25P03": self = .again
        case "53100": self = .full
        case "53300": self = .unavailable
        case "42P01", "42703": self = .wrongSchema
        case "25006": self = .readOnly
        case let state where Self.endsConnection(state):
            self = mayHaveCommitted.map { $0 ? .unknownOutcome : .again } ?? .refused
        default: self = .refused
        }
    }

    /// Of a server that refused the connection: what people must correct, or else a matter of time.
    init(connectingState state: String) {
        switch state {
        case let state where PostgresError.refusingStates.contains(state): self = .refused
        // No right to connect.
        case "42501": self = .refused
        case "25006": self = .readOnly
        default: self = .unavailable
        }
    }

    /// Connection failures, and a server that stops, crashes, starts or gets rid of idle sessions.
    private static func endsConnection(_ state: String) -> Bool {
        state.isEmpty || state.hasPrefix("08") || state.hasPrefix("57P0")
    }
}
