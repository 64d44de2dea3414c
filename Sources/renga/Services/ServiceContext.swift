import Jobs
import StoreRules
import System
import Telemetry

/// What every service needs: the log, and the open database, whose time counts.
struct ServiceContext: Sendable {
    let settings: ServiceSettings
    let log: Log
    let database: any OpenDatabase
    var store: any WholeStore { database.store }
    let agreement: Agreement

    /// Opens the database, bringing its schema up to date, and says so in the log.
    ///
    /// `invocation` is where the settings came from, and are read again.
    init(
        _ settings: ServiceSettings, _ invocation: Invocation, command: String, log: Log
    ) async throws {
        self.settings = settings
        self.log = log
        let files = raiseFileLimit()
        let table = settings.configuration.table
        var terms = StoreSettings(
            cacheTTL: settings.cacheTTL, fallbacks: table.chains, prices: PriceTable(table),
            onEvent: { event in log.warning("event", event.fields) },
            onNotice: { notice in notice.write(to: log) })
        terms.interactiveReserveTokens = settings.interactiveReserveTokens
        database = try await settings.database.open(
            OpeningTerms(settings: terms, calendarPatience: settings.calendarPatience, log: log))
        agreement = Agreement(database, settings, log: log) { try ServiceSettings(invocation) }
        do {
            try await database.calendar?.attest()
        } catch {
            throw unusable(error)
        }
        log.info(
            "renga starts",
            [
                "command": "\(command)", "version": "\(Version.current)",
                "database": "\(settings.database.name)",
                database.engine.name: "\(database.engine.version)", "file_limit": .int(files),
            ])
        database.remark(in: log)
    }

    private func unusable(_ error: any Error) -> Failure {
        Failure("RENGA_DATABASE is “\(settings.database.name)”, which cannot be used: \(error)")
    }

    /// Writes to the store what the operator states of each route, and to the log what will not work.
    ///
    /// Other routes keep what was stated before.
    func state(_ providers: Providers) async throws {
        do {
            let isNew = try await store.state(settings.statement, adopting: settings.adoptsConfiguration)
            if isNew {
                log.notice(
                    "this process's configuration is in force for all",
                    ["source": "\(settings.configuration.source ?? "environment")"])
            }
            for terms in settings.configuration.table.routes {
                try await store.configure(route: terms.key, limits: terms.limits)
                try await store.configure(route: terms.key, concurrency: terms.concurrency)
            }
        } catch let error as JobStoreError {
            await store.close()
            throw error.code == .superseded ? Failure(error.message) : unusable(error)
        }
        for provider in providers.all where !provider.isReady {
            log.warning(
                "a provider has no credential: its jobs wait",
                ["provider": "\(provider.terms.name)", "set": "\(provider.credentialHint)"])
        }
        for (model, ending) in settings.configuration.endings(at: store.now().timestamp) {
            log.warning("a model is near its end of life", ["model": "\(model)", "detail": "\(ending)"])
        }
    }
}

extension Log {
    /// To standard error: for people on a terminal, JSON everywhere else.
    static func standard(_ level: Level) -> Log {
        let clock = SystemClock()
        return Log(
            level: level, format: isTerminal(2) ? .human : .json, now: { clock.timestampMilliseconds() },
            // If standard error is closed, the log has no reader.
            sink: { try? writeAll(2, $0) })
    }
}

extension StoredEvent {
    /// As a log line has them.
    fileprivate var fields: KeyValuePairs<String, LogValue> {
        ["kind": "\(kind.rawValue)", "subject": "\(subject)", "detail": "\(message)"]
    }
}

extension StateNotice {
    /// One line when a state begins, and one when it ends.
    fileprivate func write(to log: Log) {
        if isEnd {
            log.notice(
                "work goes on",
                [
                    "subject": "\(subject.rawValue)", "name": "\(name)", "state": "\(state)",
                    "cause": "\(cause)",
                ])
        } else {
            log.warning(
                "work is held up",
                [
                    "subject": "\(subject.rawValue)", "name": "\(name)", "state": "\(state)",
                    "cause": "\(cause)",
                    "cure": "\(cure)",
                ])
        }
    }
}
