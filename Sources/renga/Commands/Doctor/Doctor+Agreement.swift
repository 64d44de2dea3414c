import Jobs

extension Doctor {
    /// Whether this machine's calendar and these settings are those that the database goes by.
    func agreement(_ settings: ServiceSettings) async -> [Finding] {
        let statement = settings.statement
        do {
            let subjects = statement.environment.map(\.subject)
            guard let found = try await settings.database.agreement(on: subjects) else { return [] }
            return calendar(found, settings) + configuration(found, statement)
        } catch {
            return [.doubtful("agreement", "\(error)")]
        }
    }

    private func calendar(_ found: AgreementCheck, _ settings: ServiceSettings) -> [Finding] {
        let own = SystemNow().now()
        guard let calendar = found.calendar, calendar.moment.epoch == own.moment.epoch else { return [] }
        let now = calendar.now(own: own)
        return now.isCertain
            ? [.fine("calendar", "agrees with the database")]
            : [.broken("calendar", Agreement.explanation(now, patience: settings.calendarPatience))]
    }

    private func configuration(
        _ found: AgreementCheck, _ stated: StatedConfiguration
    ) -> [Finding] {
        let standings =
            [(stated.file, found.history)]
            + stated.environment.map { ($0, found.budgets[$0.subject] ?? []) }
        let refusals = standings.compactMap { statement, history -> Finding? in
            guard case .superseded(let newest) = statement.standing(in: history) else { return nil }
            return .broken(
                "in force",
                statement.refusal(newest).split(separator: "\n").map(String.init).joined(separator: " "))
        }
        guard refusals.isEmpty else { return refusals }
        guard let newest = found.configuration, !newest.fingerprint.isEmpty else { return [] }
        return newest.fingerprint == stated.file.fingerprint
            ? [.fine("in force", "this configuration, since \(newest.madeAt.text)")]
            : [
                .doubtful(
                    "in force",
                    "another configuration, from \(newest.source); a start with this one will replace it")
            ]
    }
}
