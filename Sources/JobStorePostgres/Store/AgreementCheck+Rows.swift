package import Jobs
package import Postgres
import StoreRules

extension AgreementCheck {
    /// Looks at a database; nil for one that is not of this program's schema.
    ///
    /// There is no calendar to agree on, as time is the database's. Throws `JobStoreError`.
    package init?(_ database: ConnectionSettings, subjects: [String]) throws {
        do {
            let connection = try Connection.open(database)
            let found: [[ConfigurationStatement.Made]]? = try connection.transaction(.snapshot) {
                transaction in
                let access = Access(transaction)
                let found = try access.queryOne(.agreedSchema) { row in try Schema.Found(row) }
                guard let found, found.version >= Schema.version, found.standing() == .works else {
                    return nil
                }
                return try ConfigurationHistory.history(
                    of: [""] + subjects, limit: ConfigurationHistory.kept, access)
            }
            guard let found else { return nil }
            self.init(
                calendar: nil, history: found[0],
                budgets: Dictionary(zip(subjects, found[1...])) { first, _ in first })
        } catch let error as PostgresError where error.state == Self.undefinedTable {
            return nil
        } catch {
            throw JobStoreError(error)
        }
    }

    /// By its SQLSTATE: a database without any of renga's tables.
    private static var undefinedTable: String { "42P01" }
}

extension Statement {
    fileprivate static let agreedSchema = Statement(
        "agreed-schema", assembled: "SELECT \(Schema.Found.columns) FROM renga", isKept: true)
}
