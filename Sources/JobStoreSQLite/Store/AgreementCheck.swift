package import Jobs
import SQLite

/// What the processes of a database agree on, as a look at its file tells, without changing it: for `doctor`.
package struct AgreementCheck: Sendable {
    package let calendar: AgreedCalendar?
    /// The configuration file in force.
    package let configuration: ConfigurationStatement.Made?
    /// The same of a budget's statement by the environment, by its subject.
    package let budgets: [String: [ConfigurationStatement.Made]]
    package let history: [ConfigurationStatement.Made]

    /// Nil for a database that is not of this program's schema.
    package init?(path: String, subjects: [String]) throws {
        do {
            let connection = try Connection(path: path, mode: .read)
            guard try Schema.version(of: connection) == Schema.version else { return nil }
            calendar = try CalendarRow.load(connection)
            history = try ConfigurationHistory.history(of: "", limit: 1_000, connection)
            configuration = history.first
            var budgets: [String: [ConfigurationStatement.Made]] = [:]
            for subject in subjects {
                budgets[subject] = try ConfigurationHistory.history(of: subject, limit: 1_000, connection)
            }
            self.budgets = budgets
        } catch {
            throw JobStoreError(error)
        }
    }
}
