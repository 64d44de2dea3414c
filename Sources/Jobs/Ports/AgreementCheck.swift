/// What the processes of a database agree on, as a look at it tells, without changing it: for `doctor`.
package struct AgreementCheck: Sendable {
    /// Nil if the database has a calendar of its own, or no process has said anything of its.
    package var calendar: AgreedCalendar?
    /// What files stated, the newest first.
    package var history: [ConfigurationStatement.Made]
    /// The same of each budget that was asked for, by its subject.
    package var budgets: [String: [ConfigurationStatement.Made]]

    package init(
        calendar: AgreedCalendar?, history: [ConfigurationStatement.Made],
        budgets: [String: [ConfigurationStatement.Made]]
    ) {
        self.calendar = calendar
        self.history = history
        self.budgets = budgets
    }

    /// The configuration file in force.
    package var configuration: ConfigurationStatement.Made? { history.first }
}
