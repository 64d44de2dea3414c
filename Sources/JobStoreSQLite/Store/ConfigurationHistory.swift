package import Jobs
import SQLite
import StoreRules

extension SQLiteJobStore: ConfigurationStating {
    @discardableResult
    package func state(_ stated: StatedConfiguration, adopting: Bool) async throws -> Bool {
        let isNews = try await write { context in
            let before = try LaneBudget.load(context.connection)
            let statements = ConfigurationHistory(context)
            var isNews = false
            for statement in [stated.file] + stated.environment {
                isNews = try statements.make(statement, adopting: adopting) || isNews
            }
            try Budgets(context).state(stated)
            try LaneMoves.begin(from: before, context)
            return isNews
        }
        try await moveLanes()
        change { $0.configuration = stated.file.fingerprint }
        return isNews
    }

    package func supersedingConfiguration() async throws -> ConfigurationStatement.Made? {
        let own = settings.configuration
        return try await read { connection in
            guard let newest = try ConfigurationHistory.history(of: "", limit: 1, connection).first else {
                return nil
            }
            return own == nil || newest.fingerprint == own ? nil : newest
        }
    }

    package func goBy(_ file: ConfiguredTerms) {
        change { $0.goBy(file) }
    }

    package var prices: PriceTable { settings.prices }
}

struct ConfigurationHistory {
    let context: WriteContext
    private var connection: Connection { context.connection }

    /// Far more than anybody changes a configuration.
    private static let kept = 1_000

    init(_ context: WriteContext) {
        self.context = context
    }

    /// Returns whether it is news.
    func make(_ statement: ConfigurationStatement, adopting: Bool) throws -> Bool {
        let history = try Self.history(of: statement.subject, limit: Self.kept, connection)
        switch statement.standing(in: history) {
        case .inForce: return false
        case .new: break
        case .superseded(let newest):
            guard adopting else { throw JobStoreError(.superseded, statement.refusal(newest)) }
        }
        _ = try connection.run(
            "INSERT INTO statement (subject, fingerprint, content, source, made_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            [
                .text(statement.subject), .text(statement.fingerprint), .text(statement.text),
                .text(statement.source), .integer(context.now.timestamp.milliseconds),
            ])
        return true
    }

    static func history(
        of subject: String, limit: Int, _ connection: Connection
    ) throws -> [ConfigurationStatement.Made] {
        try connection.query(
            """
            SELECT fingerprint, content, source, made_at
            FROM statement
            WHERE subject = ?1
            ORDER BY id DESC
            LIMIT ?2
            """, [.text(subject), .integer(limit)]
        ) { row in
            ConfigurationStatement.Made(
                fingerprint: row.text(0), content: ConfigurationStatement.content(of: row.text(1)),
                source: row.text(2), madeAt: Timestamp(milliseconds: row.int64(3)))
        }
    }

    /// Whether a process that goes by this configuration may spend money; nil is never asked.
    static func isInForce(_ fingerprint: String?, _ connection: Connection) throws -> Bool {
        guard let fingerprint else { return true }
        let newest = try connection.queryOne(
            "SELECT fingerprint FROM statement WHERE subject = '' ORDER BY id DESC LIMIT 1", [],
            { row in row.text(0) })
        return (newest ?? "") == fingerprint
    }
}
