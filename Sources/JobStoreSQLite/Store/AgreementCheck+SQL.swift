package import Jobs
import SQLite

extension AgreementCheck {
    /// Looks at a file that exists; nil for a database that is not of this program's schema.
    ///
    /// Throws `JobStoreError`.
    package init?(path: String, subjects: [String]) throws {
        do {
            let connection = try Connection(path: path, mode: .read)
            guard try Schema.version(of: connection) == Schema.version else { return nil }
            func history(of subject: String) throws -> [ConfigurationStatement.Made] {
                try ConfigurationHistory.history(of: subject, limit: 1_000, connection)
            }
            self.init(
                calendar: try CalendarRow.load(connection), history: try history(of: ""), budgets: [:])
            for subject in subjects { budgets[subject] = try history(of: subject) }
        } catch {
            throw JobStoreError(error)
        }
    }
}
