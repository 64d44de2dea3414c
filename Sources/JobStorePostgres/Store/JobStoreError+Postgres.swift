import Jobs
import Postgres

extension PostgresError {
    /// Of a transaction that only reads, that it may be done again.
    var mayBeReadAgain: Bool { kind == .again || kind == .unknownOutcome }
}

extension JobStoreError {
    init(_ error: any Error) {
        switch error {
        case let error as JobStoreError: self = error
        case let error as PostgresError: self.init(error)
        default: self.init(.internal, "\(error)")
        }
    }

    private init(_ error: PostgresError) {
        let code: Code =
            switch error.kind {
            case .full: .full
            case .unavailable, .unknownOutcome, .overloaded, .readOnly: .unavailable
            // Others undid it each time; or else its connection was lost each time.
            case .again: ["40001", "40P01", "55P03"].contains(error.state) ? .locked : .unavailable
            // A password that was changed, say: it works again when people have corrected it.
            case .refused where error.refusedConnection: .unavailable
            case .wrongSchema, .missingLibrary, .badSettings: .unsuitable
            case .closed: .closed
            case .refused, .badArguments, .badAnswer: .internal
            }
        self.init(code, "\(error)")
    }
}
