import API
import Jobs
import Synchronization
import System
import Telemetry

/// Keeps a process to what all processes of its database agree on: the calendar, and the configuration.
final class Agreement: Sendable {
    private let store: any ConfigurationStating
    /// Nil if the database has a calendar of its own.
    private let calendar: (any CalendarAttesting)?
    private let settings: ServiceSettings
    private let log: Log
    /// Reads the environment and the file again.
    private let reread: @Sendable () throws -> ServiceSettings
    private let state = Mutex(State())

    private struct State {
        var disagreement: Milliseconds = 0
        /// The fingerprint of the configuration that this process could not take over.
        var supersededBy: String?
        var apis: [API] = []
    }

    /// How often the calendar and the configuration are checked.
    private static let checkInterval: Milliseconds = 1_000
    /// Only every so many checks the calendar is written to the database.
    private static let checksPerAttestation = 5

    init(
        _ database: any OpenDatabase, _ settings: ServiceSettings, log: Log,
        reread: @escaping @Sendable () throws -> ServiceSettings
    ) {
        (store, calendar) = (database.store, database.calendar)
        self.settings = settings
        self.log = log
        self.reread = reread
    }

    /// Makes a server's answers follow the configuration in force.
    func note(_ api: API) {
        state.withLock { $0.apis.append(api) }
    }

    var service: Service {
        Service(name: "agreement") {
            var checks = 0
            while !Task.isCancelled {
                await self.check(attests: checks.isMultiple(of: Self.checksPerAttestation))
                checks += 1
                try? await Task.sleep(for: .milliseconds(Self.checkInterval))
            }
        }
    }

    private func check(attests: Bool) async {
        do {
            let isKnown = store.now().isCertain == (state.withLock { $0.disagreement } == 0)
            if attests || !isKnown { try await calendar?.attest() }
            noteCalendar(store.now())
            try await checkConfiguration()
        } catch {
            log.debug("calendar and configuration could not be read", ["error": "\(error)"])
        }
    }

    // MARK: The calendar

    private func noteCalendar(_ now: Now) {
        let before = state.withLock { state in
            defer { state.disagreement = now.disagreement }
            return state.disagreement
        }
        guard (before == 0) != now.isCertain || abs(before - now.disagreement) > AgreedCalendar.tolerance
        else { return }
        if now.isCertain {
            log.notice("the calendar agrees again", ["time": "\(now.timestamp.text)"])
        } else {
            log.warning(
                "this machine's calendar disagrees with the database: nothing is deleted or expired",
                ["detail": "\(Self.explanation(now, patience: settings.calendarPatience))"])
        }
    }

    static func explanation(_ now: Now, patience: Milliseconds) -> String {
        """
        it is \(Text.offset(now.disagreement)) of \(now.timestamp.text), which counts. If it is right, it counts after \
        \(Text.duration(patience)) without contradiction; if not, set the clock
        """
    }

    // MARK: The configuration

    private func checkConfiguration() async throws {
        guard let newest = try await store.supersedingConfiguration() else {
            let wasSuperseded = state.withLock { state in
                defer { state.supersededBy = nil }
                return state.supersededBy != nil
            }
            if wasSuperseded { log.notice("this process's configuration is in force again") }
            return
        }
        var ownFile = "is another one"
        do {
            if try takeOver(newest) { return }
        } catch {
            ownFile = "cannot be read again: \(error)"
        }
        let isNew = state.withLock { state in
            defer { state.supersededBy = newest.fingerprint }
            return state.supersededBy != newest.fingerprint
        }
        guard isNew else { return }
        log.warning(
            "this process claims nothing: a newer configuration is in force; restart it with that one",
            [
                "stated_from": "\(newest.source)", "stated_at": "\(newest.madeAt.text)",
                "own_file": "\(ownFile)",
            ])
    }

    /// Uses the file as it is now, if it is the one in force and has the same providers.
    private func takeOver(_ newest: ConfigurationStatement.Made) throws -> Bool {
        guard settings.configuration.source != nil else { return false }
        let found = try reread()
        guard found.statement.file.fingerprint == newest.fingerprint,
            found.configuration.providers == settings.configuration.providers
        else { return false }
        let table = found.configuration.table
        store.goBy(
            ConfiguredTerms(
                fingerprint: newest.fingerprint, prices: PriceTable(table), fallbacks: table.chains))
        for api in state.withLock({ $0.apis }) {
            api.goBy { terms in
                terms.routes = table
                terms.prices = PriceTable(table)
                terms.model = found.configuration.model
                terms.service = found.configuration.standardRoute.service
            }
        }
        state.withLock { $0.supersededBy = nil }
        log.notice(
            "the configuration was read again", ["file": "\(found.configuration.source ?? "")"])
        return true
    }
}
