package import Jobs
import Postgres
import StoreRules

extension PostgresJobStore {
    @discardableResult
    package func state(_ stated: StatedConfiguration, adopting: Bool) async throws -> Bool {
        let isNews = try await write { context in
            let before = try LaneBudget.load(context.access)
            let isNews = try ConfigurationHistory.make(
                [stated.file] + stated.environment, adopting: adopting, context)
            try Budgets(context).state(stated)
            try LaneMoves.begin(from: before, context)
            return isNews
        }
        try await moveLanes()
        goBy { $0.configuration = stated.file.fingerprint }
        return isNews
    }

    package func supersedingConfiguration() async throws -> ConfigurationStatement.Made? {
        let own = settings.configuration
        return try await read { access in
            guard let newest = try ConfigurationHistory.history(of: [""], limit: 1, access)[0].first else {
                return nil
            }
            return own == nil || newest.fingerprint == own ? nil : newest
        }
    }

    package func goBy(_ file: ConfiguredTerms) {
        goBy { $0.goBy(file) }
    }

    package var prices: PriceTable { settings.prices }
}

enum ConfigurationHistory {
    /// Far more than anybody changes a configuration.
    static let kept = 1_000

    /// Returns whether one of them is news.
    static func make(
        _ statements: [ConfigurationStatement], adopting: Bool, _ context: WriteContext
    ) throws -> Bool {
        let histories = try history(of: statements.map(\.subject), limit: kept, context.access)
        var isNews = false
        for (statement, history) in zip(statements, histories) {
            switch statement.standing(in: history) {
            case .inForce: continue
            case .new: break
            case .superseded(let newest):
                guard adopting else { throw JobStoreError(.superseded, statement.refusal(newest)) }
            }
            isNews = true
            context.run(
                .makeStatement,
                [
                    .text(statement.subject), .text(statement.fingerprint), .text(statement.text),
                    .text(statement.source), .integer(context.now.timestamp.milliseconds),
                ])
        }
        return isNews
    }

    /// For each subject what was said of it, the newest first.
    static func history(
        of subjects: [String], limit: Int, _ access: Access
    ) throws -> [[ConfigurationStatement.Made]] {
        try access.query(subjects.map { Call(.statements, [.text($0), .integer(limit)]) }).map { rows in
            try rows.map { row in
                ConfigurationStatement.Made(
                    fingerprint: try row.text(0),
                    content: ConfigurationStatement.content(of: try row.text(1)),
                    source: try row.text(2), madeAt: try row.timestamp(3))
            }
        }
    }

    /// Whether a process that goes by this configuration may spend money; nil is never asked.
    static func isInForce(_ fingerprint: String?, _ access: Access) throws -> Bool {
        guard fingerprint != nil else { return true }
        return try access.query([call(for: fingerprint)])[0].first?.bool(0) == false
    }

    /// Returns one row: whether another configuration is in force than this one.
    static func call(for fingerprint: String?) -> Call { Call(.isSuperseded, [.text(fingerprint)]) }

    /// The same in a statement; the fingerprint is NULL for a process that is never asked.
    static func isSuperseded(_ fingerprint: String) -> String {
        """
        (\(fingerprint) IS NOT NULL AND coalesce(
            (SELECT fingerprint FROM statement WHERE subject = '' ORDER BY id DESC LIMIT 1), ''
        ) <> \(fingerprint))
        """
    }
}

extension Statement {
    fileprivate static let makeStatement = Statement(
        "make-statement",
        """
        INSERT INTO statement (subject, fingerprint, content, source, made_at)
        VALUES ($1::text, $2::text, $3::text, $4::text, $5::bigint)
        """, .text, .text, .text, .text, .bigint)
    fileprivate static let statements = Statement(
        "statements",
        """
        SELECT fingerprint, content, source, made_at
        FROM statement
        WHERE subject = $1::text
        ORDER BY id DESC
        LIMIT $2::bigint
        """, .text, .bigint)
    fileprivate static let isSuperseded = Statement(
        "is-superseded", assembled: "SELECT \(ConfigurationHistory.isSuperseded("$1::text"))", [.text],
        isKept: true)
}
