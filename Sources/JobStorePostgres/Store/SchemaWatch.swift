import Jobs
import Postgres
import Synchronization

/// What this process was last told of the schema; says once that a newer one has come, and once that it may go on.
final class SchemaWatch: Sendable {
    private let known: Int
    private let standing = Mutex(Schema.Standing.works)
    private let report: @Sendable (StateNotice) -> Void

    init(knowing known: Int = Schema.version, report: @escaping @Sendable (StateNotice) -> Void) {
        self.known = known
        self.report = report
    }

    /// Whether this process may claim, as far as it knows.
    var mayWork: Bool { standing.withLock { $0 == .works } }

    /// Throws `unsuitable` for a database that takes part in a move.
    func note(_ found: Schema.Found, _ ask: (Call) throws -> Rows) throws -> SchemaPermit {
        try found.demandUnmoved(ask)
        let now = found.standing(knowing: known)
        let isNews = standing.withLock { standing in
            let isNews = standing != now
            standing = now
            return isNews
        }
        if isNews { report(notice(of: now, found)) }
        return SchemaPermit(found: found, known: known)
    }

    private func notice(of standing: Schema.Standing, _ found: Schema.Found) -> StateNotice {
        switch standing {
        case .works:
            StateNotice(
                .schema, "database", state: "current", cause: "the schema lets this process work again",
                isEnd: true)
        case .finishes:
            StateNotice(
                .schema, "database", state: "newer",
                cause:
                    "\(found.explanation(knowing: known)). It claims nothing any more, and settles its calls in flight",
                cure: "start the newer renga in its place")
        case .stopped:
            StateNotice(
                .schema, "database", state: "newer",
                cause: "\(found.explanation(knowing: known)). It writes nothing any more",
                cure: "stop it, and start the newer renga in its place")
        }
    }
}

/// What one transaction may do.
struct SchemaPermit {
    let found: Schema.Found
    let known: Int

    var mayWork: Bool { found.standing(knowing: known) == .works }

    /// Throws `schemaTooNew`.
    func demand(_ needed: Schema.Standing) throws(JobStoreError) { try found.demand(needed, knowing: known) }
}
